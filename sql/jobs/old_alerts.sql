-- Incidents that ended before $before, with their alerts. An incident is removed as a whole, once it is over; if its
-- feed is stalled, it never is. Reads `open_incidents`, see sql/jobs/open_alerts.sql.
select max(end_ts) as moment, cast(null as bigint) as batch_id, count(*) as records, incident_id
from alerts
anti join open_incidents using (incident_id)
group by incident_id
having max(end_ts) < $before
