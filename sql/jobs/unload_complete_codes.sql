-- Complete such pairs from the remaining counters: their last record, and so on.
update codes_before as old
set
    last_second = coalesce(codes.last_second, old.last_second),
    repeat_batch_id = coalesce(old.repeat_batch_id, codes.repeat_batch_id)
from codes
where codes.build = old.build and codes.code = old.code
