-- Judged bins with enough evidence for some ratio, and where an increase ended before, if that is far likelier.
-- Grain: one row per series and such a bin; nothing has ended where ended_second is null.
-- Reads: evidence
-- Feeds: counted
with
evidence as (select * from evidence),

peaks as (
    select
        series, bin_second, history_seconds, max(nats) as nats,
        max(case when is_judged then nats - threshold end) as excess,
        max(max(case when last_second = bin_second then nats end)) over (
            partition by series order by history_key range between 1 preceding and current row
        ) as peak_nats
    from evidence
    group by series, bin_second, history_seconds, history_key
),

-- The latest bin with errors in which evidence was highest, and of the likeliest ratio there how far its sum has fallen
-- since its own highest: evidence that has only left the history has not ended.
asked as (
    select
        now.series, now.bin_second, now.history_seconds, now.peak_nats - now.nats as doubt,
        peaks.bin_second as peak_second, (e.top_total - e.total) / 1073741824 as fallen, row_number() over (
            partition by now.series, now.bin_second order by peaks.bin_second desc, peaks.rate_ratio asc
        ) as place
    from peaks as now
    inner join evidence as peaks on now.series = peaks.series and now.peak_nats = peaks.nats
    inner join evidence as e
        on now.series = e.series and now.bin_second = e.bin_second and peaks.rate_ratio = e.rate_ratio
    where
        now.excess >= 0 and peaks.bin_second > now.bin_second - now.history_seconds
        and peaks.bin_second <= now.bin_second and peaks.last_second = peaks.bin_second
)

select
    series, bin_second, history_seconds, doubt,
    case when doubt > 6.907755 and fallen > 6.907755 then peak_second end as ended_second
from asked
where place = 1
