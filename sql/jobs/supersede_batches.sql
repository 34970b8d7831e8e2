-- Batches without accepted records, and their duplicates, become duplicates of the batch that reads them again.
-- Parameters: $batch_ids, $superseded_by.
update batches set rejected = 0, duplicate_of = $superseded_by
where batch_id in (select unnest($batch_ids)) or duplicate_of in (select unnest($batch_ids))
