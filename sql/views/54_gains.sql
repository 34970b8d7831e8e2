-- How much likelier the errors of a bin are if the candidate's rate is higher by a ratio, and what evidence it takes.
-- Grain: one row per series, bin with errors and ratio of the grid; gain: natural logarithm in units of 2^-30.
-- Reads: bins, weights, hypotheses, rules
-- Feeds: suspects, evidence, reaches
with
bins as (select * from bins where detector = 'sequential' and is_weighed),

weights as (select * from weights),

hypotheses as (select * from hypotheses),

rules as (select rule, 86400.0 / bin_seconds as day_bins, pow(10, threshold) as alarm_bins from rules),

-- What an error says: of the candidate, of either build, and on average if the rates are as is no cause for alarm.
worths as (
    select
        bins.series, bins.bin_second, bins.block, hypotheses.rate_ratio, rules.day_bins, rules.alarm_bins,
        weights.weight, weights.usual_errors,
        1 + (hypotheses.rate_ratio - 1) * bins.tested_share as times,
        bins.candidate_errors as k, bins.baseline_errors + bins.candidate_errors as n,
        ln(hypotheses.rate_ratio) - ln(bins.min_ratio) as candidate_worth,
        ln(1 + (hypotheses.rate_ratio - 1) * bins.tested_share)
        - ln(1 + (bins.min_ratio - 1) * bins.tested_share) as worth,
        bins.min_ratio * bins.tested_share
        / nullif(1 + (bins.min_ratio - 1) * bins.tested_share, 0) as candidate_part
    from bins
    inner join weights on bins.series = weights.series and bins.block = weights.block
    inner join hypotheses on bins.rule = hypotheses.rule and bins.min_ratio < hypotheses.rate_ratio
    inner join rules on bins.rule = rules.rule
),

-- More errors than the ratio makes likely count for no more: bursts an hour apart do not add up.
gains as (
    select
        series, bin_second, block, rate_ratio, day_bins, alarm_bins,
        weight * (k * candidate_worth - n * worth) as gain,
        least(1, (2 / nullif(weight, 0) + 1.5 * usual_errors * times) / nullif(n, 0)) as plausible_part,
        weight * usual_errors * (worth - candidate_part * candidate_worth) as usual_loss
    from worths
)

-- Whole numbers of at most 500 nats: sums of them are exact wherever a slice begins. What it takes is in information
-- time: by what a bin loses without a change.
select
    series, bin_second, block, rate_ratio,
    floor(greatest(least(gain, gain * plausible_part, 500), -500) * 1073741824 + 0.5) as gain,
    ln(greatest(day_bins, alarm_bins * least(1, 3 * usual_loss))) as threshold
from gains
