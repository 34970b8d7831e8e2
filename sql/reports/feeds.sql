-- The newest record of each of $sources, and when the first batch with it was loaded. A record ahead of the clock is no
-- newer than the batch that brought it: others that come after it are new as well.
select
    source, max(max_ts) as last_ts, arg_max(loaded_at, (least(max_ts, loaded_at), -batch_id)) as loaded_at
from batches
where records > 0 and source in (select unnest($sources))
group by source
order by source
