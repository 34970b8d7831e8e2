insert into events
select ts, build, code, $batch_id + (line >> 32) as batch_id
from staged
where problem is null
