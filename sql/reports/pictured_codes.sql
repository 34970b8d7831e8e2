-- The codes of a time range that fit into a heatmap: those with alerts first, then those with most errors.
-- $after and $until are epoch seconds.
with sent as (
    select code, sum(errors) as errors from counters
    where
        second >= make_timestamp(cast($after as bigint) * 1000000)
        and second < make_timestamp(cast($until as bigint) * 1000000)
    group by code
),

alerted as (
    select distinct code from alerts
    where
        end_ts > make_timestamp(cast($after as bigint) * 1000000)
        and start_ts < make_timestamp(cast($until as bigint) * 1000000)
        and state = 'current'
)

select sent.code
from sent left join alerted on sent.code = alerted.code
order by alerted.code is null asc, sent.errors desc, sent.code asc
limit $most
