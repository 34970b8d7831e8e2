-- Batches whose records in the ledger are not as many as those stored and removed.
select format('batch {} of {}: the ledger has {} records, stored are {}', batch_id, path, records, events)
from batch_sums where records <> events + gone_events
