-- Sums per build and code over the batches from $batch_id on. A batch has one row per build, code and second.
-- opening_second is a second of the first batch with the code.
create or replace temp table arrived as
with found as (
    select
        build, code, min(second) as first_second, max(second) as last_second, cast(sum(errors) as bigint) as errors,
        count(*) as seconds, min(batch_id) as first_batch_id, max(batch_id) as last_batch_id,
        arg_min(second, batch_id) as earliest_second
    from counters
    where batch_id >= $batch_id
    group by build, code
)

select
    f.build, f.code, f.first_second, f.last_second, f.errors, f.seconds, f.first_batch_id, f.last_batch_id,
    c.build is null as is_new, coalesce(c.first_second, f.earliest_second) as opening_second,
    case
        when c.repeat_batch_id is not null then c.repeat_batch_id
        when f.first_batch_id < f.last_batch_id then null
        when (f.first_second, f.last_second) <> (opening_second, opening_second) then f.first_batch_id
    end as repeat_batch_id,
    f.first_batch_id < f.last_batch_id
    or coalesce(f.first_second <= c.last_second and f.last_second >= c.first_second, false) as is_overlapping
from found as f left join codes as c on f.build = c.build and f.code = c.code
