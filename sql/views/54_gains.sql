-- How much likelier the errors of a bin are if the candidate's rate is higher by a ratio, and the required evidence.
-- Grain: one row per series, bin with errors and ratio of the grid; gain and threshold: natural logarithms.
-- Reads: bins, weights, hypotheses, rules
-- Feeds: suspects, evidence, code_reaches
with
-- The gain of a candidate's error, the loss of any error, and the candidate's expected part of errors at min_ratio.
worths as (
    select
        b.series, b.bin_second, b.block, h.rate_ratio, w.weight, w.usual_errors, b.candidate_errors as k,
        b.baseline_errors + b.candidate_errors as n, 1 + (h.rate_ratio - 1) * b.tested_share as times,
        86400.0 / rules.bin_seconds as day_bins, pow(10, rules.threshold) as alarm_bins,
        ln(h.rate_ratio) - ln(b.min_ratio) as candidate_worth,
        ln(1 + (h.rate_ratio - 1) * b.tested_share) - ln(1 + (b.min_ratio - 1) * b.tested_share) as worth,
        b.min_ratio * b.tested_share / nullif(1 + (b.min_ratio - 1) * b.tested_share, 0) as candidate_part
    from bins as b
    inner join weights as w on b.series = w.series and b.block = w.block
    inner join hypotheses as h on b.rule = h.rule and b.min_ratio < h.rate_ratio
    inner join rules on b.rule = rules.rule
    where b.detector = 'sequential' and b.is_weighed
),

-- Errors beyond those that the ratio makes likely add nothing, so that bursts an hour apart do not add up.
gains as (
    select
        series, bin_second, block, rate_ratio, day_bins, alarm_bins, weight * (k * candidate_worth - n * worth) as gain,
        least(1, (2 / nullif(weight, 0) + 1.5 * usual_errors * times) / nullif(n, 0)) as plausible_part,
        weight * usual_errors * (worth - candidate_part * candidate_worth) as usual_loss
    from worths
)

-- At most 500, in whole units of 2^-30, so that sums are exact wherever a slice begins. The threshold is in information
-- time: it depends on what a usual bin loses without a change.
select
    series, bin_second, block, rate_ratio,
    floor(greatest(least(gain, gain * plausible_part, 500), -500) * 1073741824 + 0.5) / 1073741824 as gain,
    ln(greatest(day_bins, alarm_bins * least(1, 3 * usual_loss))) as threshold
from gains
