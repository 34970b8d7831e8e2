-- How the incidents $incidents were last reported: the key, and the clients of each build at that time.
select
    incident_id,
    arg_max(notice_key, notice_id) as notice_key,
    cast(arg_max(json, notice_id) ->> '$.baseline_clients' as bigint) as baseline_clients,
    cast(arg_max(json, notice_id) ->> '$.candidate_clients' as bigint) as candidate_clients
from notices
where incident_id in (select unnest($incidents)) and notice_key is not null
group by incident_id
