-- The newest record of each of $sources, and when the first batch with it was loaded.
select source, max(max_ts) as last_ts, arg_max(loaded_at, (max_ts, -batch_id)) as loaded_at
from batches
where records > 0 and source in (select unnest($sources))
group by source
order by source
