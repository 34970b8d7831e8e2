-- The likeliest increase where evidence is enough: of the history or, where one has ended, of what came since.
-- Grain: one row per series and bin of ends; bins with errors, each standing until next_second.
-- Reads: ends, evidence
-- Feeds: increase_errors
with
evidence as (select * from evidence),

ends as (select * from ends),

restarts as (
    select
        e.series, e.rate_ratio, e.bin_second, ended.ended_second, min(e.before_total) over (
            partition by e.series, e.rate_ratio, ended.ended_second order by e.bin_second
        ) as least_total
    from (select distinct series, ended_second, history_seconds from ends) as ended
    inner join evidence as e on ended.series = e.series
    where e.bin_second > ended.ended_second and e.bin_second <= ended.ended_second + ended.history_seconds
),

counted as (
    select
        e.series, e.rule, e.bin_second, e.next_second, e.rate_ratio, e.threshold, e.total, ends.doubt,
        case when ends.ended_second is null then e.least_total else restarts.least_total end as least_total
    from ends
    inner join evidence as e on ends.series = e.series and ends.bin_second = e.bin_second
    left join restarts
        on
            e.series = restarts.series and e.bin_second = restarts.bin_second and e.rate_ratio = restarts.rate_ratio
            and ends.ended_second = restarts.ended_second
),

ranked as (
    select
        series, rule, bin_second, next_second, rate_ratio, threshold, doubt, least_total,
        greatest(total - least_total, 0) / 1073741824 as nats, row_number() over (
            partition by series, bin_second order by (total - least_total) / 1073741824 - threshold desc, rate_ratio
        ) as place
    from counted
)

-- Sums are whole numbers: the onset is found by its sum.
select
    best.series, best.rule, best.bin_second, best.next_second, best.rate_ratio, best.nats, best.threshold, best.doubt,
    max(e.bin_second) as onset_second
from ranked as best
inner join evidence as e
    on best.series = e.series and best.rate_ratio = e.rate_ratio and best.least_total = e.before_total
where best.place = 1 and e.bin_second <= best.bin_second
group by
    best.series, best.rule, best.bin_second, best.next_second, best.rate_ratio, best.nats, best.threshold, best.doubt
