-- After counters were removed: raise figures of codes to those of the remaining counters (codes_counted).
update codes
set
    first_second = least(codes.first_second, counted.first_second),
    last_second = greatest(codes.last_second, counted.last_second),
    errors = greatest(codes.errors, counted.errors),
    seconds = greatest(codes.seconds, counted.seconds),
    repeat_batch_id = coalesce(codes.repeat_batch_id, counted.repeat_batch_id)
from codes_counted as counted
where codes.build = counted.build and codes.code = counted.code
