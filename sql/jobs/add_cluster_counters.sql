-- Counters of a part of a day of a load: from the Parquet file $path, and from lines that this machine read for a
-- closer look. A batch has one row per second, build and code.
-- Parameters: $path, $batch_id, $last_id, $from_ts, $until_ts.
insert into counters
with found as (
    select second, build, code, errors, $batch_id + place as batch_id
    from read_parquet($path, hive_partitioning = false)
    union all
    select date_trunc('second', ts) as second, build, code, 1 as errors, batch_id
    from events
    where
        batch_id between $batch_id and $last_id
        and ts >= $from_ts and ts < $until_ts
)

select second, build, code, sum(errors)::bigint as errors, batch_id
from found
group by all
order by second
