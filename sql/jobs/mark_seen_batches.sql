-- How far the passes over each comparison had seen.
create or replace temp table seen_before as
select baseline, candidate, max(seen_batch_id) as batch_id from progress group by baseline, candidate
