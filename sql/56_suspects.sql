-- The bins in which the evidence can be enough: no window's can be more than the rise from its lowest point before.
-- Grain: one row per series and judged bin; the windows of all other bins need not be looked at.
-- Reads: evidence, rules
-- Feeds: evidence_windows
with
evidence as (
    select
        series, rule, bin_second, bin_seconds, is_judged, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7
    from evidence
),

rules as (
    select
        rule, threshold, window_bins,
        window_bins - lag(window_bins, 1, 0) over (partition by rule order by window_bins) as starts
    from rules
    where detector = 'sequential'
),

-- A sum of so many terms reaches 1 / alpha only where its largest is at least that share of it.
limits as (
    select rule, (max(threshold) * ln(10) - ln(count(*)) - ln(max(starts)) - 0.000001) * 1073741824 as least_rise
    from rules
    group by rule
),

rises as (
    select
        series, rule, bin_second, bin_seconds, is_judged,
        greatest(
            sum_1 - min(sum_1) over before, sum_2 - min(sum_2) over before, sum_3 - min(sum_3) over before,
            sum_4 - min(sum_4) over before, sum_5 - min(sum_5) over before, sum_6 - min(sum_6) over before,
            sum_7 - min(sum_7) over before
        ) as rise
    from evidence
    window before as (partition by series order by bin_second rows between unbounded preceding and 1 preceding)
)

select
    rises.series,
    rises.rule,
    rises.bin_second,
    rises.bin_seconds
from rises
inner join limits on rises.rule = limits.rule
where rises.is_judged and rises.rise >= limits.least_rise
