-- Give alerts the number of their incident if they have another one; new numbers begin after $before.
update alerts set incident_id = coalesce(numbered.incident_id, $before + numbered.place)
from numbered
where
    alerts.rule = numbered.rule and alerts.baseline = numbered.baseline and alerts.candidate = numbered.candidate
    and alerts.code = numbered.code and alerts.end_ts between numbered.opened_ts and numbered.end_ts
    and alerts.state = 'current' and alerts.incident_id is distinct from numbered.incident_id
