-- Builds that replaced another one at once and are compared with nothing; reported for a day.
select distinct replacements.old_build as baseline, replacements.new_build as candidate
from replacements
inner join builds as newer on replacements.new_build = newer.build
left join earlier on replacements.new_build = earlier.candidate
where
    earlier.candidate is null
    and epoch(newer.first_second) > (select max(epoch(last_second)) from builds) - 86400
order by candidate, baseline
