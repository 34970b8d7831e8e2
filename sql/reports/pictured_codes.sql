-- The codes of a time range that fit into a heatmap: those with alerts first, then those with most errors.
-- $after and $until are microseconds since 1970.
with sent as (
    select code, sum(errors) as errors from counters
    where second >= make_timestamp($after) and second < make_timestamp($until)
    group by code
),

alerted as (
    select distinct code from alerts
    where end_ts > make_timestamp($after) and start_ts < make_timestamp($until) and state = 'current'
)

select sent.code
from sent left join alerted on sent.code = alerted.code
order by alerted.code is null asc, sent.errors desc, sent.code asc
limit $most
