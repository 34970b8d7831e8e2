-- Stored alerts that were not found again.
create or replace temp table retracted as
select alert_id
from stored anti join found using (rule, baseline, candidate, code, slot, stop_ts)
where state = 'current'
