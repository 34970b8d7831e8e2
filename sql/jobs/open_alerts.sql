-- The numbers of open incidents; late records may have joined some, whose alerts keep their numbers.
select distinct alerts.incident_id
from incidents
inner join alerts using (rule, baseline, candidate, code)
where incidents.state = 'open' and alerts.end_ts >= incidents.opened_ts
