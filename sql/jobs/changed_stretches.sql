-- The epoch seconds [from_second, until_second) whose bins may have changed since pass $run_id and batch $batch_id:
-- what was judged again, and $margin seconds around new records.
with widest as (select max(bin_seconds) as bin_seconds from rules),

touched as (
    select distinct cast(floor(epoch(second) / 600) as bigint) * 600 as from_second
    from counters where batch_id > $batch_id
)

select
    cast(epoch(runs.scope_start) as bigint) - widest.bin_seconds as from_second,
    cast(epoch(runs.scope_end) as bigint) as until_second
from runs cross join widest
where runs.run_id > $run_id and runs.scope_start is not null
union all
select from_second - $margin as from_second, from_second + 600 + $margin as until_second from touched
order by from_second
