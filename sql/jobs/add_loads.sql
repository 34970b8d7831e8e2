-- Files of a committed load. Parameters: $load; $rows (see jobs/add_batches).
insert into loads
select $load, place, batch_id
from (select unnest(from_json_strict($rows, '[{"place": "BIGINT", "batch_id": "BIGINT"}]'), recursive := true)) as found
