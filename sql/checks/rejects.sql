-- Batches whose rejects in the ledger are not as many as those stored and removed.
select format('batch {} of {}: the ledger has {} rejects, stored are {}', batch_id, path, rejected, rejects)
from batch_sums where rejected <> rejects + gone_rejects
