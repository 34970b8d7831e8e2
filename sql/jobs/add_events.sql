-- Above the 32 bits of a line's number stands the file's place in the batch (PLACE_BITS). Reads `typed`.
insert into events
select ts, build, code, $batch_id + (line >> 32) as batch_id
from typed
where problem is null
