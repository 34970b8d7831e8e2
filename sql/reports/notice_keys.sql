-- The keys under which incidents were reported last.
select incident_id, arg_max(notice_key, notice_id) as notice_key
from notices where incident_id in (select unnest($incidents)) and notice_key is not null
group by incident_id
