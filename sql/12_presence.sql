-- When each build was heard at all, and how often: what gaps and active seconds are told from.
-- Grain: one row per build and second with records of it.
-- Reads: counters
-- Feeds: gaps, places, judged_bins
with
counters as (select second, build, errors from counters)

select
    build,
    cast(floor(epoch(second)) as bigint) as second,
    cast(sum(errors) as bigint) as records
from counters
group by build, second
