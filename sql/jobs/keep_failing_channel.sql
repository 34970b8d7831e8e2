-- Record a channel's failure; keep when it first failed, else $since.
insert into failing_channels
select $channel as failing, coalesce(min(failed_since), $since) as first_seen, $error as reason
from failing_channels where channel = $channel
