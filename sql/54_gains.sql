-- How much likelier the errors of a bin are if the candidate's rate is higher by a ratio: the log likelihood ratio.
-- Grain: one row per series, bin with errors and ratio of the grid; natural logarithms in units of 2^-30.
-- Reads: bins, weights, hypotheses
-- Feeds: suspects, suspect_bins
with
bins as (select * from bins where detector = 'sequential' and is_weighed),

weights as (select * from weights),

hypotheses as (select * from hypotheses),

-- What an error says: of the candidate, of either build, and on average if the rates are as is no cause for alarm.
worths as (
    select
        bins.series, bins.rule, bins.pair_id, bins.bin_second, hypotheses.rate_ratio,
        weights.weight * bins.candidate_errors as k,
        weights.weight * (bins.baseline_errors + bins.candidate_errors) as n,
        ln(hypotheses.rate_ratio) - ln(hypotheses.min_ratio) as candidate_worth,
        ln(1 + (hypotheses.rate_ratio - 1) * bins.tested_share)
        - ln(1 + (hypotheses.min_ratio - 1) * bins.tested_share) as worth,
        hypotheses.min_ratio * bins.tested_share
        / nullif(1 + (hypotheses.min_ratio - 1) * bins.tested_share, 0) as candidate_part
    from bins
    inner join weights on bins.series = weights.series and bins.block = weights.block
    inner join hypotheses on bins.rule = hypotheses.rule
)

-- Whole numbers of at most 500 nats: sums of them are exact wherever a slice begins.
select
    series, rule, pair_id, bin_second, rate_ratio,
    floor(greatest(least(k * candidate_worth - n * worth, 500), -500) * 1073741824 + 0.5) as gain,
    floor(least(n * (worth - candidate_part * candidate_worth), 500) * 1073741824 + 0.5) as usual_loss
from worths
