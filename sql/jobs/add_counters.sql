-- In order of time: without it, counters defeat the zone maps of later queries and take half as much room again.
-- In two halves: one thread reads what a transaction has added to an empty table, but two a union of two.
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
