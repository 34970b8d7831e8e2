-- The notices of the incidents $incident_ids.
select incident_id, channel, change, created_at, taken_at
from notices
where incident_id in (select unnest($incident_ids))
order by notice_id
