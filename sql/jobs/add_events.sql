-- The file's place in the batch is stored above the 32 bits of a line's number (PLACE_BITS). Reads `typed`.
-- A client that is too long is cut: no record is rejected because of its client.
-- Parameters: $batch_id, $longest_text.
insert into events (ts, build, code, batch_id, client)
select ts, build, code, $batch_id + (line >> 32) as batch_id, nullif(left(client, $longest_text), '') as client
from typed
where problem is null
