-- How much more likely the errors of a bin are if the candidate's rate is higher by each ratio of the grid.
-- Grain: one row per series and bin; logarithms in units of 2^-30, sums of which are exact wherever a slice begins.
-- Reads: bins, weights, hypotheses
-- Feeds: evidence_minutes, evidence_windows
with
bins as (
    select
        series, rule, bin_second, bin_seconds, is_judged, tested_share as p,
        floor(bin_second / 120) * 120 as block_second,
        case when is_weighed then baseline_errors + candidate_errors else 0 end as n,
        case when is_weighed then candidate_errors else 0 end as k
    from bins
    where detector = 'sequential'
),

weights as (select series, block_second, weight from weights),

hypotheses as (select rule, place, rate_ratio, min_ratio from hypotheses),

grids as (
    select
        rule, max(min_ratio) as r0, max(case when place = 1 then rate_ratio end) as r1,
        max(case when place = 2 then rate_ratio end) as r2, max(case when place = 3 then rate_ratio end) as r3,
        max(case when place = 4 then rate_ratio end) as r4, max(case when place = 5 then rate_ratio end) as r5,
        max(case when place = 6 then rate_ratio end) as r6, max(case when place = 7 then rate_ratio end) as r7
    from hypotheses
    group by rule
),

-- What an error of the candidate says, in whatever bin.
logs as (
    select
        rule, r0, r1, r2, r3, r4, r5, r6, r7, ln(r1) - ln(r0) as l1, ln(r2) - ln(r0) as l2, ln(r3) - ln(r0) as l3,
        ln(r4) - ln(r0) as l4, ln(r5) - ln(r0) as l5, ln(r6) - ln(r0) as l6, ln(r7) - ln(r0) as l7
    from grids
),

weighed as (
    select
        bins.series, bins.rule, bins.bin_second, bins.bin_seconds, bins.is_judged, weights.weight * 1073741824 as w,
        bins.k, bins.n, bins.p, ln(1 + (logs.r0 - 1) * bins.p) as base, logs.l1, logs.l2, logs.l3, logs.l4, logs.l5,
        logs.l6, logs.l7, logs.r1, logs.r2, logs.r3, logs.r4, logs.r5, logs.r6, logs.r7
    from bins
    inner join weights on bins.series = weights.series and bins.block_second = weights.block_second
    inner join logs on bins.rule = logs.rule
)

-- Keys that stand for series and time together: engines would else join a bin with all others of its series first.
select
    series, rule, bin_second, bin_seconds, is_judged, series * 600000000000 + bin_second as bin_key,
    series * 600000000000 + cast(floor(bin_second / 60) as bigint) * 60 as minute_key,
    floor(w * (k * l1 - n * (ln(1 + (r1 - 1) * p) - base)) + 0.5) as gain_1,
    floor(w * (k * l2 - n * (ln(1 + (r2 - 1) * p) - base)) + 0.5) as gain_2,
    floor(w * (k * l3 - n * (ln(1 + (r3 - 1) * p) - base)) + 0.5) as gain_3,
    floor(w * (k * l4 - n * (ln(1 + (r4 - 1) * p) - base)) + 0.5) as gain_4,
    floor(w * (k * l5 - n * (ln(1 + (r5 - 1) * p) - base)) + 0.5) as gain_5,
    floor(w * (k * l6 - n * (ln(1 + (r6 - 1) * p) - base)) + 0.5) as gain_6,
    floor(w * (k * l7 - n * (ln(1 + (r7 - 1) * p) - base)) + 0.5) as gain_7
from weighed
