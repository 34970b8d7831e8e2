-- Batches whose counters can be rebuilt, after checks/batch_sums: where the records themselves are those of the
-- ledger. Counters of no batch count nothing.
create or replace temp table wrong_batches as
select batch_id, events, least(min_second, date_trunc('second', min_ts)) as since
from batch_sums
where
    (records = events and gone_counters = 0 and not is_counted)
    or (records is null and events = 0 and errors > 0)
