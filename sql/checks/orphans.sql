-- Batches with records, counters or rejects that are not in the ledger.
select format('batch {} is not in the ledger: {} records, {} counted, {} rejects', batch_id, events, errors, rejects)
from batch_sums where records is null
