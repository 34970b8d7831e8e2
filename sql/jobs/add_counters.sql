-- Ordered by time: otherwise counters defeat the zone maps of later queries, and take 1.5 times the room.
-- In two halves: DuckDB reads rows that this transaction added to an empty table with one thread, a union with two.
-- Parameters: $batch_id, $last_id, $from_ts, $half_ts, $until_ts.
insert into counters
with found as (
    select ts, build, code, batch_id
    from events
    where batch_id between $batch_id and $last_id and ts >= $from_ts and ts < $half_ts
    union all
    select ts, build, code, batch_id
    from events
    where batch_id between $batch_id and $last_id and ts >= $half_ts and ts < $until_ts
)

select date_trunc('second', ts) as second, build, code, count(*) as errors, batch_id
from found
group by all
order by second
