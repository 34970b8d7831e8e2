-- Batches whose counters do not add up to their records, or differ from them.
select format('batch {} of {}: {} records, its counters add up to {} or are others', batch_id, path, records, errors)
from batch_sums where records = events + gone_events and not is_counted
