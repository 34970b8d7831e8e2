-- Batches that passes have seen since the mark: only these can have new codes. Usually there are none, and the other
-- statements cost nothing.
create or replace temp table seen_since as
select baseline, candidate, seen_before.batch_id as after_batch_id, max(seen_batch_id) as until_batch_id
from progress left join seen_before using (baseline, candidate)
group by baseline, candidate, seen_before.batch_id
having max(seen_batch_id) > coalesce(seen_before.batch_id, 0)
