-- Blocks of $length seconds with records, as numbers since 1970, or with alerts; how many counters lie in each.
-- The end of a bin belongs to what is before it.
select block, cast(sum(counters) as bigint) as counters
from (
    select cast(floor(epoch(second) / $length) as bigint) as block, count(*) as counters from counters group by block
    union all
    select distinct cast(floor((epoch(end_ts) - 1) / $length) as bigint) as block, 0 as counters from alerts
    where epoch(end_ts) > $since and epoch(end_ts) <= $until and state = 'current'
) as found
group by block
order by block
