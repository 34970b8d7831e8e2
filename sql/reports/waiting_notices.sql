-- The notices that a channel has not accepted yet.
select
    notice_id, change, incident_id, code, text, json, coalesce(notice_key, 'notice-' || notice_id) as notice_key
from notices
where channel = $channel and taken_at is null
order by notice_id
