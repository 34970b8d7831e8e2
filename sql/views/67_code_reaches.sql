-- How much evidence an increase of a code would have by now on average, if it had begun with the history.
-- Grain: one row per rule, baseline, candidate, code and ratio of the grid; natural logarithms.
-- Reads: bins, weights, gains, hypotheses, rules
-- Feeds: reaches
with
-- Weighted errors of each bin; before_second is one history before the last bin.
errors as (
    select
        b.series, b.rule, b.baseline, b.candidate, b.code, b.bin_second, b.past_bins, b.candidate_share as share,
        b.tested_share, b.min_ratio, w.weight * (b.baseline_errors + b.candidate_errors) as weighed_errors,
        max(b.bin_second) over (partition by b.rule, b.pair_id) - rules.window_bins * b.bin_seconds as before_second
    from bins as b
    inner join weights as w on b.series = w.series and b.block = w.block
    inner join rules on b.rule = rules.rule
    where b.is_judged
),

-- The mean evidence if the candidate's errors were multiplied by the ratio. Rounded, because the last bits of sums
-- depend on the slice.
expected as (
    select
        e.rule, e.baseline, e.candidate, e.code, h.rate_ratio, h.min_bins,
        max(e.past_bins) - min(e.past_bins) + 1 as busy_bins, arg_max(g.threshold, e.bin_second) as threshold,
        round(sum(e.weighed_errors * (
            e.share * h.rate_ratio * (ln(h.rate_ratio) - ln(e.min_ratio)) - (1 + (h.rate_ratio - 1) * e.share)
            * (ln(1 + (h.rate_ratio - 1) * e.tested_share) - ln(1 + (e.min_ratio - 1) * e.tested_share))
        )), 6) as nats
    from errors as e
    inner join gains as g on e.series = g.series and e.bin_second = g.bin_second
    inner join hypotheses as h on e.rule = h.rule and g.rate_ratio = h.rate_ratio
    where e.bin_second > e.before_second
    group by e.rule, e.baseline, e.candidate, e.code, h.rate_ratio, h.min_bins
)

-- A steady increase is spread over all its bins.
select
    rule, baseline, candidate, code, rate_ratio, nats, threshold,
    nats >= threshold and busy_bins > min_bins as is_found
from expected
