-- The latest clock hour since which 20 records were sent, because fewer may come from wrong clocks; else no row.
with hours as (select hour_second, sum(records) as records from build_hours group by hour_second),

sums as (select hour_second, sum(records) over (order by hour_second desc) as records from hours)

select make_timestamp(max(hour_second) * 1000000) as newest_ts
from sums
where records >= 20
