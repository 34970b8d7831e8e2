-- Why a channel does not take notices now, and since when it does not; $since where it did until now.
insert into failing_channels
select $channel, coalesce(min(failed_since), $since), $error from failing_channels where channel = $channel
