-- Batches whose counters do not add up to their records, or differ from them.
select
    format('batch {} of {}: {} records, its counters add up to {} or differ from them', batch_id, path, records, errors)
from batch_sums where records = events + gone_events and not is_counted
