-- Incidents that ended before $before, with their alerts. One goes whole, and not before it is over: where its feed is
-- stalled, it never is. Reads `open_incidents`, see sql/jobs/open_alerts.sql.
select max(end_ts) as moment, cast(null as bigint) as batch_id, count(*) as records, incident_id
from alerts
anti join open_incidents using (incident_id)
group by incident_id
having max(end_ts) < $before
