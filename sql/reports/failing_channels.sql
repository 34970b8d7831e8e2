-- Channels that fail, since when, why, and how many notices wait for them.
select
    f.channel, min(f.failed_since) as failed_since, arg_max(f.error, f.rowid) as error,
    (select count(*) from notices as n where n.channel = f.channel and n.taken_at is null) as waiting
from failing_channels as f
group by f.channel
order by f.channel
