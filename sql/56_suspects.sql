-- The bins in which the evidence can be enough: no window's can be more than the rise from its lowest point before.
-- Grain: one row per series and judged bin; the windows of all other bins need not be looked at.
-- Reads: evidence, rules
-- Feeds: evidence_windows
with
evidence as (
    select
        series, rule, bin_second, bin_seconds, is_judged, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
        series * 1000000000000 + floor(bin_second / 60) as block_key,
        gain_1, gain_2, gain_3, gain_4, gain_5, gain_6, gain_7
    from evidence
),

rules as (
    select rule, threshold, window_bins - lag(window_bins, 1, 0) over (partition by rule order by window_bins) as starts
    from rules
    where detector = 'sequential'
),

-- A sum of so many terms reaches 1 / alpha only where its largest is at least that share of it.
limits as (
    select rule, (max(threshold) * ln(10) - ln(count(*)) - ln(max(starts)) - 0.000001) * 1073741824 as least_rise
    from rules
    group by rule
),

-- By the minute, which is cheaper: a rise within one is no more than all its gains together.
minutes as (
    select
        series, block_key, greatest(
            sum(greatest(gain_1, 0)), sum(greatest(gain_2, 0)), sum(greatest(gain_3, 0)), sum(greatest(gain_4, 0)),
            sum(greatest(gain_5, 0)), sum(greatest(gain_6, 0)), sum(greatest(gain_7, 0))
        ) as climb, min(sum_1) as low_1, min(sum_2) as low_2, min(sum_3) as low_3,
        min(sum_4) as low_4, min(sum_5) as low_5, min(sum_6) as low_6, min(sum_7) as low_7
    from evidence
    group by series, block_key
),

lows as (
    select
        block_key, climb, min(low_1) over before as low_1, min(low_2) over before as low_2,
        min(low_3) over before as low_3, min(low_4) over before as low_4, min(low_5) over before as low_5,
        min(low_6) over before as low_6, min(low_7) over before as low_7
    from minutes
    window before as (partition by series order by block_key rows between unbounded preceding and 1 preceding)
)

select evidence.series, evidence.rule, evidence.bin_second, evidence.bin_seconds
from evidence
inner join lows on evidence.block_key = lows.block_key
inner join limits on evidence.rule = limits.rule
where
    evidence.is_judged
    and limits.least_rise <= greatest(
        lows.climb, evidence.sum_1 - lows.low_1, evidence.sum_2 - lows.low_2, evidence.sum_3 - lows.low_3,
        evidence.sum_4 - lows.low_4, evidence.sum_5 - lows.low_5, evidence.sum_6 - lows.low_6,
        evidence.sum_7 - lows.low_7
    )
