-- When each build or side was heard at all, and how often: what gaps and active seconds are told from.
-- Grain: one row per build or side and second with records of it.
-- Reads: side_counters
-- Feeds: gaps, places, judged_bins
with side_counters as (select second, build, errors from side_counters)

select build, second, cast(sum(errors) as bigint) as records
from side_counters
group by build, second
