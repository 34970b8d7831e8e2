-- What each channel has not taken yet, since when, and why not if it failed.
select channel, count(*) as notices, min(created_at) as since_ts, max(error) as error
from notices where taken_at is null
group by channel
order by channel
