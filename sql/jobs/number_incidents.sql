-- The number that each incident should have. A retraction may split an incident, and other reopen_seconds split or join
-- incidents: the first part keeps the number, the others get new ones.
select
    rule, baseline, candidate, code, opened_ts, end_ts, case when part = 1 then incident_id end as incident_id,
    row_number() over (partition by part = 1 order by opened_ts, rule, baseline, candidate, code) as place
from (select *, row_number() over (partition by incident_id order by opened_ts) as part from incident_spans) as parts
