-- Batches that are in the ledger more than once.
select format('batch {} is in the ledger {} times', batch_id, count(*))
from batches group by batch_id having count(*) > 1
