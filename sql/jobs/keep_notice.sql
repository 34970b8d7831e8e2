-- Store one change for one channel, to be sent.
insert into notices (notice_id, channel, change, incident_id, notice_key, code, text, json, created_at)
values (nextval('notice_ids'), $channel, $change, $incident, $key, $code, $text, $json, $now)
