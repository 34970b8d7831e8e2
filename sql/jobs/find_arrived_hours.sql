-- Records by build and hour of the batches from $batch_id on.
create or replace temp table arrived_hours as
select build, cast(floor(epoch(second) / 3600) as bigint) * 3600 as hour_second, cast(sum(errors) as bigint) as records
from counters
where batch_id >= $batch_id
group by all
