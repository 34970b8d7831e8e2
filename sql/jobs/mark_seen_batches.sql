-- Store the batches that the passes over each comparison have seen.
insert into seen_before
select baseline, candidate, max(seen_batch_id) as batch_id from progress group by baseline, candidate
