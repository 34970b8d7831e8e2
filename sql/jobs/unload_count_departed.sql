-- Sums of the removed batches per build and code. A second stays counted if another batch has it.
create or replace temp table departed as
with touched as (select distinct build, code from counters where batch_id in (select unnest($batch_ids))),

seconds as (
    select
        build, code, sum(errors) as errors,
        coalesce(sum(errors) filter (batch_id in (select unnest($batch_ids))), 0) as gone
    from counters
    semi join touched using (build, code)
    where second >= $first_second and second <= $last_second
    group by build, code, second
)

select build, code, sum(gone)::bigint as errors, count(*) filter (gone = errors) as seconds
from seconds
where gone > 0
group by build, code
