select min(ts) as first_ts, max(ts) as last_ts, count(*) as records
from events
where batch_id between $batch_id and $last_id
