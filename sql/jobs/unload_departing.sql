-- The batches $batch_ids that are to be removed.
select batch_id, source, path, records, rejected, loaded_at, modified_ns <> 0 as is_file
from batches where batch_id in (select unnest($batch_ids)) order by batch_id
