-- The first and last stored record, and how many were read.
select
    greatest(
        min(min_ts), (select max(pruned.before_ts) from pruned where pruned.relation = 'counters')
    ) as first_ts,
    max(max_ts) as last_ts, cast(coalesce(sum(records), 0) as bigint) as records,
    cast(coalesce(sum(rejected), 0) as bigint) as rejected, count(*) as batches
from batches
where duplicate_of is null
