-- What counts of the evidence where it is enough: that of the history or, where an increase has ended, what came since.
-- Grain: one row per series, ratio and judged bin in which some ratio has enough evidence.
-- Reads: evidence, ends
-- Feeds: increases
with
evidence as (select * from evidence),

ends as (select * from ends),

restarts as (
    select
        e.series, e.rate_ratio, e.bin_second, e.total - e.gain as before_total, ended.ended_second,
        e.total - min(e.total - e.gain) over (
            partition by e.series, ended.ended_second, e.rate_ratio
            order by e.burst_key range between 1 preceding and current row
        ) as burst
    from (select distinct series, ended_second, history_seconds from ends) as ended
    inner join evidence as e on ended.series = e.series
    where e.bin_second > ended.ended_second and e.bin_second <= ended.ended_second + ended.history_seconds
),

recents as (
    select
        series, rate_ratio, bin_second, ended_second, min(before_total) over since as least_total,
        max(burst) over since as strongest
    from restarts window since as (partition by series, ended_second, rate_ratio order by bin_second)
)

select
    e.series, e.rate_ratio, e.bin_second, e.threshold, e.past_bins, e.last_second, e.total, ends.doubt,
    coalesce(ends.ended_second, ends.bin_second - ends.history_seconds) as before_second,
    case when ends.ended_second is null then e.least_total else recents.least_total end as least_total,
    case when ends.ended_second is null then e.strongest else recents.strongest end as strongest
from ends
inner join evidence as e on ends.series = e.series and ends.bin_second = e.bin_second
left join recents
    on
        e.series = recents.series and e.bin_second = recents.bin_second and e.rate_ratio = recents.rate_ratio
        and ends.ended_second = recents.ended_second
