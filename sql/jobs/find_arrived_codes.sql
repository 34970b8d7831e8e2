-- What the batches from $batch_id on hold of each build and code. In one batch a build, code and second are one row.
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
),

opened as (
    select
        found.build, found.code, found.first_second, found.last_second, found.errors, found.seconds,
        found.first_batch_id, found.last_batch_id, codes.build is null as is_new,
        coalesce(codes.first_second, found.earliest_second) as opening_second, codes.repeat_batch_id,
        found.first_batch_id < found.last_batch_id
        or coalesce(found.first_second <= codes.last_second and found.last_second >= codes.first_second, false)
            as is_overlapping
    from found
    left join codes on found.build = codes.build and found.code = codes.code
)

select
    build, code, first_second, last_second, errors, seconds, first_batch_id, last_batch_id, is_new, opening_second,
    case
        when repeat_batch_id is not null then repeat_batch_id
        when first_batch_id < last_batch_id then null
        when first_second <> opening_second or last_second <> opening_second then first_batch_id
    end as repeat_batch_id, is_overlapping
from opened
