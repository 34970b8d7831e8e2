-- The first of the batches from $batch_id on with which a code had been sent in two different seconds. A batch has a
-- second other than the opening one if its first or last second is another: few rows are left before the join.
with found as (
    select build, code, batch_id, min(second) as first_second, max(second) as last_second
    from counters
    where batch_id >= $batch_id and second >= $first_second and second <= $last_second
    group by build, code, batch_id
),

repeats as (
    select f.build, f.code, min(f.batch_id) as batch_id
    from found as f inner join arrived as a on f.build = a.build and f.code = a.code
    where
        (f.first_second, f.last_second) <> (a.opening_second, a.opening_second)
        and a.repeat_batch_id is null and a.first_batch_id < a.last_batch_id
    group by f.build, f.code
)

update arrived
set repeat_batch_id = repeats.batch_id
from repeats
where arrived.build = repeats.build and arrived.code = repeats.code
