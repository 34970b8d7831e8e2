-- The batches of $source that were loaded from $since on.
select batch_id from batches where source = $source and loaded_at >= $since and duplicate_of is null order by batch_id
