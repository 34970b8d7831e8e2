-- One change for one channel, which has not taken it yet.
insert into notices (notice_id, channel, change, incident_id, notice_key, code, text, json, created_at)
values (nextval('notice_ids'), $channel, $change, $incident, $key, $code, $text, $json, $now)
