-- Times that cut batches into portions of about the same number of records: a sample is enough.
-- Parameters: $batch_id, $last_id, $portions.
with sampled as (
    select ts
    from events
    where batch_id between $batch_id and $last_id
    using sample reservoir (10000 rows) repeatable (1)
),

portions as (
    select ts, ntile($portions) over (order by ts) as portion
    from sampled
),

cuts as (
    select min(date_trunc('second', ts)) as cut
    from portions
    group by portion
)

select distinct cut
from cuts
order by cut
