-- Keep the rows of the batches $batch_ids in `unloaded`, with the time $now and the last pass.
insert into unloaded
select
    batch_id, source, path, range_start, range_end, records, rejected, min_ts, max_ts, loaded_at, $now as unloaded_at,
    (select coalesce(max(run_id), 0) from runs) as run_id
from batches where batch_id in (select unnest($batch_ids)) order by batch_id
