-- Records of batches loaded since $since that were more than late_limit_days behind what was judged by then.
with lates as (
    select batches.batch_id, max(runs.watermark) - to_days(any_value(settings.late_limit_days)::integer) as late_ts
    from batches
    inner join runs on batches.loaded_at > runs.finished_at
    cross join settings
    where batches.loaded_at >= $since
    group by batches.batch_id
    having min(batches.min_ts) < late_ts
)

select coalesce(sum(counters.errors), 0)::bigint as late_last_day
from counters
inner join lates on counters.batch_id = lates.batch_id and counters.second < lates.late_ts
