-- The mean of the last N bins, for every N of the rule: a running sum joined with itself N bins earlier.
-- Grain: one row per rule, baseline, candidate, code, length of window and judged bin that it ends in.
-- Reads: bins, rules
-- Feeds: fired
with
bins as (
    select
        rule, detector, bin_seconds, baseline, candidate, code, series, bin_second, is_judged, baseline_errors,
        candidate_errors, value
    from bins
    where detector <> 'sequential'
),

sums as (
    select
        rule,
        detector,
        bin_seconds,
        baseline,
        candidate,
        code,
        series,
        bin_second,
        is_judged,
        cast(sum(value) over running as decimal(36, 12)) as value_sum,
        sum(baseline_errors) over running as baseline_sum,
        sum(candidate_errors) over running as candidate_sum
    from bins
    window running as (partition by series order by bin_second rows between unbounded preceding and current row)
)

select
    stops.rule,
    stops.detector,
    stops.baseline,
    stops.candidate,
    stops.code,
    stops.bin_seconds,
    rules.window_bins,
    stops.bin_second - (rules.window_bins - 1) * stops.bin_seconds as start_second,
    stops.bin_second as stop_second,
    round(cast(stops.value_sum - coalesce(befores.value_sum, 0) as double) / nullif(rules.window_bins, 0), 9) as value,
    rules.threshold,
    cast(stops.baseline_sum - coalesce(befores.baseline_sum, 0) as bigint) as baseline_errors,
    cast(stops.candidate_sum - coalesce(befores.candidate_sum, 0) as bigint) as candidate_errors
from sums as stops
inner join rules on stops.rule = rules.rule
left join sums as befores
    on
        stops.series = befores.series
        and befores.bin_second = stops.bin_second - rules.window_bins * stops.bin_seconds
where stops.is_judged
