-- Mark notices as sent by their channel in one message, or as dropped.
update notices set taken_at = $now, sent_key = $key, is_held_back = $held_back
where notice_id in (select unnest($notices))
