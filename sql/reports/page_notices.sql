-- The notices of the incidents $incident_ids.
select
    cast(json ->> '$.incident_id' as bigint) as incident_id, channel, change, created_at, taken_at
from notices
where change <> 'new_codes' and cast(json ->> '$.incident_id' as bigint) in (select unnest($incident_ids))
order by notice_id
