-- Batches whose counters can be rebuilt, because their stored records agree with the ledger; after checks/batch_sums.
-- Counters without a batch are removed.
create or replace temp table wrong_batches as
select batch_id, events, least(min_second, date_trunc('second', min_ts)) as since
from batch_sums
where
    (records = events and gone_counters = 0 and not is_counted)
    or (records is null and events = 0 and errors > 0)
