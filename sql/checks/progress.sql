-- Rules that have judged batches that are not in the ledger.
select format('rule {} has judged batch {}, which is not in the ledger yet', rule, seen_batch_id) as what
from progress
where seen_batch_id > (select coalesce(max(batches.batch_id), 0) from batches)
group by rule, seen_batch_id
