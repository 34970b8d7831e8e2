-- The content of table codes if retention has removed nothing, from all counters, in another way than ingest's.
create or replace temp table codes_counted as
with minutes as (
    select
        build, code, min(second) as first_second, max(second) as last_second, sum(errors) as errors,
        bit_or(cast(1 as bigint) << second(second)) as seconds, min(batch_id) as first_batch_id,
        arg_min(second, batch_id) as opening_second
    from counters
    group by build, code, date_trunc('minute', second)
),

sent as (
    select
        build, code, min(first_second) as first_second, max(last_second) as last_second,
        cast(sum(errors) as bigint) as errors, cast(sum(bit_count(seconds)) as bigint) as seconds,
        arg_min(opening_second, first_batch_id) as opening_second
    from minutes
    group by build, code
),

repeats as (
    select counters.build, counters.code, min(counters.batch_id) as batch_id
    from counters
    inner join sent on counters.build = sent.build and counters.code = sent.code
    where counters.second <> sent.opening_second
    group by counters.build, counters.code
)

select
    sent.build, sent.code, sent.first_second, sent.last_second, sent.errors, sent.seconds,
    repeats.batch_id as repeat_batch_id
from sent
left join repeats on sent.build = repeats.build and sent.code = repeats.code
