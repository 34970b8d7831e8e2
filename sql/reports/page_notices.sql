-- The notices of the incidents $incident_ids, with their counts of clients.
select
    incident_id, channel, change, created_at, taken_at,
    cast(json ->> '$.baseline_clients' as bigint) as baseline_clients,
    cast(json ->> '$.candidate_clients' as bigint) as candidate_clients
from notices
where incident_id in (select unnest($incident_ids))
order by notice_id
