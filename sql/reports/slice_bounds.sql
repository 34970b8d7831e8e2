-- The beginning of the data, without what retention removed, and the end of the widest bin with their last record.
with kept as (select max(before_ts) as before_ts from pruned where relation = 'counters'),

widest as (select coalesce(max(bin_seconds), 1) as bin_seconds from rules)

select
    coalesce(epoch(greatest(min(builds.first_second), max(kept.before_ts)))::bigint, 0) as first_second,
    coalesce(epoch(max(builds.last_second))::bigint + max(widest.bin_seconds), 1) as end_second
from builds
cross join kept
cross join widest
