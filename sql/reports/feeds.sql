-- The newest record of each of $sources, and when the first batch with it was loaded. A record ahead of the clock
-- counts with the time of its batch, so that later records are new too. Two plain aggregates: an arg_max of pairs takes
-- three times as long on millions of batches.
with newest as (
    select source, max(max_ts) as last_ts, max(least(max_ts, loaded_at)) as received_ts
    from batches
    where records > 0
    group by source
    having source in (select unnest($sources))
)

select newest.source, newest.last_ts, arg_min(batches.loaded_at, batches.batch_id) as loaded_at
from newest
inner join batches
    on newest.source = batches.source and newest.received_ts = least(batches.max_ts, batches.loaded_at)
where batches.records > 0
group by newest.source, newest.last_ts
order by newest.source
