-- These were sent by their channel in one message, or held back for good.
update notices set taken_at = $now, sent_key = $key, is_held_back = $held_back
where notice_id in (select unnest($notices))
