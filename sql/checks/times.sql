-- Batches whose first or last record is not that of the ledger.
select format('batch {} of {}: its first or last record is not that of the ledger', batch_id, path)
from batch_sums where records = events + gone_events and not is_timed
