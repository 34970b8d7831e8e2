-- The likeliest increase if evidence is enough: within the history or, after an end, since that end.
-- Grain: one row per series and bin of ends; bins with errors, each valid until next_second.
-- Reads: ends, evidence
-- Feeds: others, increase_errors
with
restarts as (
    select
        e.series, ended.ended_second, e.rate_ratio, e.bin_second, e.total, e.before_total,
        min(e.before_total) over by_bin as least_total
    from (select distinct series, ended_second, history_seconds from ends) as ended
    inner join evidence as e on ended.series = e.series
    where e.bin_second > ended.ended_second and e.bin_second <= ended.ended_second + ended.history_seconds
    window by_bin as (partition by e.series, ended.ended_second, e.rate_ratio order by e.bin_second)
),

-- A second, smaller increase may have ended since: the best evidence has fallen by ln 1000 from its maximum.
rises as (
    select
        series, ended_second, rate_ratio, bin_second, before_total, least_total,
        max(total - least_total) over (partition by series, ended_second, bin_second) as rise,
        max(total - least_total) over (partition by series, ended_second order by bin_second) as top_rise
    from restarts
),

since as (
    select
        series, ended_second, rate_ratio, bin_second, case
            when top_rise - rise > 6.907755
                then min(case when rise < top_rise then before_total end) over since_top
            else least_total
        end as least_total
    from rises window since_top as (partition by series, ended_second, rate_ratio, top_rise order by bin_second)
),

ranked as (
    select
        e.series, e.rule, e.bin_second, e.next_second, e.rate_ratio, e.threshold, d.doubt, e.total,
        coalesce(s.least_total, e.least_total) as least_total, row_number() over (
            partition by e.series, e.bin_second
            order by e.total - coalesce(s.least_total, e.least_total) - e.threshold desc, e.rate_ratio
        ) as place
    from ends as d inner join evidence as e on d.series = e.series and d.bin_second = e.bin_second
    left join since as s
        on
            e.series = s.series and e.bin_second = s.bin_second and e.rate_ratio = s.rate_ratio
            and d.ended_second = s.ended_second
)

-- Sums are exact, so the onset is found by comparing sums.
select
    b.series, b.rule, b.bin_second, b.next_second, b.rate_ratio, b.threshold, b.doubt,
    greatest(b.total - b.least_total, 0) as nats, max(e.bin_second) as onset_second
from ranked as b
inner join evidence as e on b.series = e.series and b.rate_ratio = e.rate_ratio and b.least_total = e.before_total
where b.place = 1 and e.bin_second <= b.bin_second
group by b.series, b.rule, b.bin_second, b.next_second, b.rate_ratio, b.threshold, b.doubt, b.total, b.least_total
