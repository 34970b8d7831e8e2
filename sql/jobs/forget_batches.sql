-- Limit the batches that passes have seen to those in the ledger, for example after an older backup was restored.
update progress set seen_batch_id = (select coalesce(max(batch_id), 0) from batches)
where seen_batch_id > (select coalesce(max(batch_id), 0) from batches)
