-- Incidents that ended before $before, with their alerts. One goes whole, and not before it is over: where its feed is
-- stalled, it never is.
with unsettled as (
    select alerts.incident_id
    from alerts
    inner join progress using (rule, baseline, candidate)
    semi join rules using (rule)
    cross join settings
    where
        alerts.state = 'current' and not progress.is_superseded
        and epoch(alerts.end_ts) + settings.merge_seconds > epoch(progress.settled_until)
)

select max(end_ts) as moment, cast(null as bigint) as batch_id, count(*) as records, incident_id
from alerts
anti join unsettled using (incident_id)
group by incident_id
having max(end_ts) < $before
