-- The first and last time of the batches from $batch_id to $last_id, and how many records they have.
select min(ts) as first_ts, max(ts) as last_ts, count(*) as records
from events
where batch_id between $batch_id and $last_id
