-- When each build or side sent records, and how many; gaps and active seconds are computed from it.
-- Grain: one row per build or side and second with records of it.
-- Reads: side_counters
-- Feeds: gaps, places, judged_bins
select build, second, cast(sum(errors) as bigint) as records
from side_counters
group by build, second
