-- Why a channel does not take notices now, and since when it does not; $since where it did until now.
insert into failing_channels
select $channel as failing, coalesce(min(failed_since), $since) as first_seen, $error as reason
from failing_channels where channel = $channel
