-- These were written by their channel.
update notices set taken_at = $now
where notice_id in (select unnest($notices))
