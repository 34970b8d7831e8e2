-- Rows of `replaced` that were added when these batches were loaded, by the same transaction.
delete from replaced
where (path, replaced_at) in (select path, loaded_at from batches where batch_id in (select unnest($batch_ids)))
