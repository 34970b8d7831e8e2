-- Builds that replaced another one at once and are not compared with anything; reported for a day. The hint names the
-- comparison that needs no day of the baseline, unless the settings already have it.
select distinct
    replacements.old_build as baseline, replacements.new_build as candidate,
    case
        when not exists (select 1 from comparisons where comparisons.baseline = 'earlier')
            then '; or add a [[comparison]] with baseline = "earlier": it compares all builds as one with a day before'
        else ''
    end as hint
from replacements
inner join builds as newer on replacements.new_build = newer.build
left join earlier on replacements.new_build = earlier.candidate
where
    earlier.candidate is null
    and epoch(newer.first_second) > (select max(epoch(last_second)) from builds) - 86400
order by candidate, baseline
