-- Add the arrived errors to existing codes.
update codes
set
    first_second = least(codes.first_second, arrived.first_second),
    last_second = greatest(codes.last_second, arrived.last_second),
    errors = codes.errors + arrived.errors,
    seconds = codes.seconds + arrived.seconds,
    repeat_batch_id = arrived.repeat_batch_id
from arrived
where codes.build = arrived.build and codes.code = arrived.code
