-- The first of the batches from $batch_id on with which a code had come in two different seconds.
update arrived
set repeat_batch_id = found.batch_id
from (
    select build, code, min(counters.batch_id) as batch_id
    from counters inner join arrived using (build, code)
    where
        counters.batch_id >= $batch_id and counters.second >= $first_second and counters.second <= $last_second
        and counters.second <> arrived.opening_second
        and arrived.repeat_batch_id is null and arrived.first_batch_id < arrived.last_batch_id
    group by build, code
) as found
where arrived.build = found.build and arrived.code = found.code
