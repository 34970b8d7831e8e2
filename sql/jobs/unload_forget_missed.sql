-- What a path was missed for when it was read as one of these batches, by that transaction.
delete from replaced
where (path, replaced_at) in (select path, loaded_at from batches where batch_id in (select unnest($batch_ids)))
