-- How many messages a channel has accepted since a time.
select count(distinct sent_key) as messages
from notices where channel = $channel and taken_at > $since and not is_held_back
