-- Codes of builds whose figures differ from their counters. Figures may be higher if retention has removed counters.
with listed as (select build, code, count(*) as places from codes group by build, code)

select format('build {}, code {}: is counted and not listed, or listed and not counted', build, code) as what
from codes_counted as counted
full join listed using (build, code)
where
    (counted.errors is null and not exists (select 1 from removed where removed.counters > 0))
    or listed.places is null or listed.places > 1
union all
select
    format('build {}, code {}: errors, seconds, the first or the last are not those of its counters', build, code)
        as what
from codes
inner join codes_counted as counted using (build, code)
where
    case
        when exists (select 1 from removed where removed.counters > 0)
            then not coalesce(
                codes.first_second <= counted.first_second and codes.last_second >= counted.last_second
                and codes.errors >= counted.errors and codes.seconds >= counted.seconds, false
            )
        else
            codes.first_second is distinct from counted.first_second
            or codes.last_second is distinct from counted.last_second
            or codes.errors is distinct from counted.errors or codes.seconds is distinct from counted.seconds
            or codes.repeat_batch_id is distinct from counted.repeat_batch_id
    end
