-- The notices that a channel has not taken yet.
select notice_id, change, code, text, json
from notices
where channel = $channel and taken_at is null
order by notice_id
