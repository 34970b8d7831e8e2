-- One change for one channel, which has not taken it yet.
insert into notices (notice_id, channel, change, code, text, json, created_at)
values (nextval('notice_ids'), $channel, $change, $code, $text, $json, $now)
