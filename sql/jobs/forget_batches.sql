-- No pass has seen batches that are not in the ledger, as after an older copy was restored.
update progress set seen_batch_id = (select coalesce(max(batch_id), 0) from batches)
where seen_batch_id > (select coalesce(max(batch_id), 0) from batches)
