-- Errors in steps of time, as lists: what one side of a comparison sent of the codes of a series. Seconds are epoch
-- seconds; a place is the number of a step, from 0 at first_second on. Steps without errors are left out.
with series as (
    select
        unnest(cast($series as bigint[])) as series, unnest(cast($builds as varchar[])) as build,
        unnest(cast($codes as varchar[])) as code, unnest(cast($first_seconds as bigint[])) as first_second,
        unnest(cast($until_seconds as bigint[])) as until_second, unnest(cast($steps as bigint[])) as step_seconds
),

steps as (
    select
        s.series, (c.second - s.first_second) // s.step_seconds as place, cast(sum(c.errors) as bigint) as errors
    from series as s
    inner join side_counters as c
        on s.build = c.build and s.code = c.code and s.first_second <= c.second and s.until_second > c.second
    group by all
)

select series, list(place) as places, list(errors) as errors
from steps
group by series
