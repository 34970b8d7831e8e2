-- Incidents with alerts of more than one code, rule or comparison.
select format('incident {}: has alerts of more than one code, rule or comparison', incident_id) as what
from alerts
group by incident_id
having count(distinct row(rule, baseline, candidate, code)) > 1
