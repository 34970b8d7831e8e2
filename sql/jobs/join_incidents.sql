-- Late records may close the pause between two incidents: then the younger one becomes part of the older one.
update alerts set incident_id = joined.incident_id
from (
    select alerts.incident_id as younger_id, min(islands.incident_id) as incident_id
    from alerts
    inner join series using (rule, baseline, candidate, code)
    inner join islands
        on series.series = islands.series and alerts.start_ts between islands.first_ts and islands.last_ts
    where alerts.incident_id > islands.incident_id and alerts.state = 'current'
    group by alerts.incident_id
) as joined
where alerts.incident_id = joined.younger_id
