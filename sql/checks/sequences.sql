-- Sequences that would return a number in use. duckdb_sequences() does not include what was replayed from the log, so
-- this check runs only after a clean end.
with used as (
    select 'batch_ids' as sequence_name, max(batch_id) as most from batches
    union all
    select 'run_ids' as sequence_name, max(run_id) as most from runs
    union all
    select 'alert_ids' as sequence_name, max(alert_id) as most from alerts
    union all
    select 'incident_ids' as sequence_name, max(incident_id) as most from alerts
)

select format('sequence {}: gives {} next, and {} is in use', sequence_name, found.last_value, used.most) as what
from used
inner join duckdb_sequences() as found using (sequence_name)
where found.last_value <= used.most
