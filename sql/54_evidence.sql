-- How much more likely the errors so far are if the candidate's rate is higher by each ratio of the grid.
-- Grain: one row per series and bin; logarithms in units of 2^-30, sums of which are exact wherever a slice begins.
-- Reads: bins, weights, hypotheses
-- Feeds: suspects, evidence_windows
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

weighed as (
    select
        bins.series, bins.rule, bins.bin_second, bins.bin_seconds, bins.is_judged,
        weights.weight * 1073741824 as w, bins.k, bins.n, bins.p, ln(1 + (grids.r0 - 1) * bins.p) as base, grids.r0,
        grids.r1, grids.r2, grids.r3, grids.r4, grids.r5, grids.r6, grids.r7
    from bins
    inner join weights on bins.series = weights.series and bins.block_second = weights.block_second
    inner join grids on bins.rule = grids.rule
),

gains as (
    select
        series, rule, bin_second, bin_seconds, is_judged,
        floor(w * (k * (ln(r1) - ln(r0)) - n * (ln(1 + (r1 - 1) * p) - base)) + 0.5) as gain_1,
        floor(w * (k * (ln(r2) - ln(r0)) - n * (ln(1 + (r2 - 1) * p) - base)) + 0.5) as gain_2,
        floor(w * (k * (ln(r3) - ln(r0)) - n * (ln(1 + (r3 - 1) * p) - base)) + 0.5) as gain_3,
        floor(w * (k * (ln(r4) - ln(r0)) - n * (ln(1 + (r4 - 1) * p) - base)) + 0.5) as gain_4,
        floor(w * (k * (ln(r5) - ln(r0)) - n * (ln(1 + (r5 - 1) * p) - base)) + 0.5) as gain_5,
        floor(w * (k * (ln(r6) - ln(r0)) - n * (ln(1 + (r6 - 1) * p) - base)) + 0.5) as gain_6,
        floor(w * (k * (ln(r7) - ln(r0)) - n * (ln(1 + (r7 - 1) * p) - base)) + 0.5) as gain_7
    from weighed
)

select
    series, rule, bin_second, bin_seconds, is_judged,
    gain_1, gain_2, gain_3, gain_4, gain_5, gain_6, gain_7,
    sum(gain_1) over running as sum_1, sum(gain_2) over running as sum_2, sum(gain_3) over running as sum_3,
    sum(gain_4) over running as sum_4, sum(gain_5) over running as sum_5, sum(gain_6) over running as sum_6,
    sum(gain_7) over running as sum_7
from gains
window running as (partition by series order by bin_second rows between unbounded preceding and current row)
