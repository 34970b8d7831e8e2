-- The stored alerts that are found no more.
create or replace temp table retracted as
select alert_id
from stored anti join found using (rule, baseline, candidate, code, slot, stop_ts)
where state = 'current'
