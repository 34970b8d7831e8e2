-- The likeliest increase of a bin with enough evidence: its ratio, since when, and how much of it is no single burst.
-- Grain: one row per series and judged bin in which some ratio has enough evidence, whether or not it has ended.
-- Reads: counted, evidence
-- Feeds: regressions
with
counted as (select * from counted),

evidence as (select * from evidence),

ranked as (
    select
        series, bin_second, rate_ratio, threshold, past_bins, last_second, doubt, least_total, before_second,
        greatest(total - least_total, 0) / 1073741824 as nats,
        (total - least_total - strongest) / 1073741824 as other_nats,
        row_number() over (
            partition by series, bin_second order by (total - least_total) / 1073741824 - threshold desc, rate_ratio
        ) as place
    from counted
)

-- Sums are whole numbers: the onset is found by its sum. Without its strongest burst it must be 20 times likelier.
select
    best.series, best.bin_second, best.rate_ratio, best.nats, best.threshold, best.doubt, best.other_nats,
    best.past_bins, best.last_second, max(e.bin_second) as onset_second,
    best.nats >= best.threshold as is_enough, best.other_nats < 2.995732 as is_brief
from ranked as best
inner join evidence as e
    on best.series = e.series and best.rate_ratio = e.rate_ratio and best.least_total = e.total - e.gain
where best.place = 1 and e.bin_second > best.before_second and e.bin_second <= best.bin_second
group by
    best.series, best.bin_second, best.rate_ratio, best.nats, best.threshold, best.doubt, best.other_nats,
    best.past_bins, best.last_second
