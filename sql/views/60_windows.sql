-- The mean of the last N bins, for every N of the rule: a running sum minus itself N bins earlier.
-- Grain: one row per rule, baseline, candidate, code, window length and judged bin in which the window ends.
-- Reads: bins, rules
-- Feeds: fired
with
sums as (
    select
        rule, detector, bin_seconds, baseline, candidate, code, series, bin_second, is_judged,
        cast(sum(value) over running as decimal(36, 12)) as value_sum,
        sum(baseline_errors) over running as baseline_sum, sum(candidate_errors) over running as candidate_sum
    from bins
    where detector <> 'sequential'
    window running as (partition by series order by bin_second rows between unbounded preceding and current row)
)

select
    s.rule, s.detector, s.baseline, s.candidate, s.code, s.bin_seconds, rules.window_bins,
    s.bin_second - (rules.window_bins - 1) * s.bin_seconds as start_second, s.bin_second as stop_second,
    round(cast(s.value_sum - coalesce(b.value_sum, 0) as double) / nullif(rules.window_bins, 0), 9) as value,
    rules.threshold, cast(s.baseline_sum - coalesce(b.baseline_sum, 0) as bigint) as baseline_errors,
    cast(s.candidate_sum - coalesce(b.candidate_sum, 0) as bigint) as candidate_errors
from sums as s
inner join rules on s.rule = rules.rule
left join sums as b on s.series = b.series and s.bin_second - rules.window_bins * s.bin_seconds = b.bin_second
where s.is_judged
