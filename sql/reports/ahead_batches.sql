-- Batches after $after_batch, since $since if given, with records more than $least_ahead seconds ahead of the clock,
-- and none more than $most_ahead: either all records, or a stream of them. A stream fills at least half of the time up
-- to its last record; records of a few clients with wrong clocks do not.
with ahead as (
    select
        batch_id, source, path, max_ts - loaded_at as most_ahead, max_ts,
        loaded_at + to_seconds($least_ahead) as limit_ts, min_ts > loaded_at + to_seconds($least_ahead) as is_whole
    from batches
    where
        batch_id > $after_batch and loaded_at >= coalesce($since, loaded_at)
        and max_ts > loaded_at + to_seconds($least_ahead) and max_ts <= loaded_at + to_seconds($most_ahead)
),

streams as (
    select ahead.batch_id
    from ahead
    inner join counters on ahead.batch_id = counters.batch_id
    where counters.second > ahead.limit_ts
    group by ahead.batch_id
    having
        sum(counters.errors) >= 20
        and count(distinct floor(
            20 * epoch(counters.second - ahead.limit_ts) / (epoch(ahead.max_ts - ahead.limit_ts) + 1)
        )) >= 10
)

select batch_id, source, path, cast(epoch(most_ahead) as bigint) as most_ahead, is_whole
from ahead
where is_whole or batch_id in (select streams.batch_id from streams)
order by batch_id
