-- Alerts within this of the alert before belong to the same incident; at least merge_seconds.
alter table settings add column reopen_seconds bigint;
update settings set reopen_seconds = merge_seconds;
-- The incidents of former notices.
update notices set incident_id = cast(json ->> '$.incident_id' as bigint) where incident_id is null;
