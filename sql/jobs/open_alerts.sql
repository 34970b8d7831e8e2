-- The numbers of open incidents; if late records joined incidents, all numbers that their alerts have.
select distinct alerts.incident_id
from incidents
inner join alerts using (rule, baseline, candidate, code)
where incidents.state = 'open' and alerts.end_ts >= incidents.opened_ts
