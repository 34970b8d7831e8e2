-- Bins with enough evidence for some ratio that are valid in a judged bin, and where an earlier increase ended, if so.
-- Grain: one row per series and such a bin; doubt: how much likelier that end is, natural logarithm.
-- Reads: evidence, suspects
-- Feeds: increases
with
peaks as (
    select
        series, bin_second, next_second, history_seconds, max(nats - threshold) as excess,
        max(max(nats)) over (
            partition by series order by history_key range between 1 preceding and current row
        ) as nats
    from evidence group by series, bin_second, next_second, history_seconds, history_key
),

-- The latest bin of the history in which evidence was highest, and its ratio.
likeliest as (
    select
        p.series, p.bin_second, p.history_seconds, e.rate_ratio, e.bin_second as peak_second, e.total as peak_total,
        row_number() over (partition by p.series, p.bin_second order by e.bin_second desc, e.rate_ratio asc) as place
    from peaks as p
    inner join suspects as s on p.series = s.series
    inner join evidence as e on p.series = e.series and p.nats = e.nats
    where
        p.excess >= 0 and p.next_second > s.first_second and p.bin_second <= s.last_second
        and e.bin_second <= p.bin_second
),

-- Or a later bin with the highest sum of that ratio: evidence also falls when its start leaves the history.
tops as (
    select
        l.series, l.bin_second, l.history_seconds, l.peak_second, max(top.bin_second) as top_second,
        case when max(top.bin_second) < l.peak_second then l.peak_total else now.top_total end - now.total as doubt
    from likeliest as l
    inner join evidence as now
        on l.series = now.series and l.rate_ratio = now.rate_ratio and l.bin_second = now.bin_second
    inner join evidence as top
        on l.series = top.series and l.rate_ratio = top.rate_ratio and now.top_total = top.total
    where l.place = 1 and top.bin_second <= l.bin_second
    group by l.series, l.bin_second, l.history_seconds, l.peak_second, l.peak_total, now.top_total, now.total
)

select
    series, bin_second, history_seconds, doubt,
    case when doubt > 6.907755 then greatest(peak_second, top_second) end as ended_second
from tops
