-- The figures of a chain's strongest alert: how much, and against what threshold.
-- Grain: one row per chain of alerts.
-- Reads: alert_chains
-- Feeds: incidents
with
ranked_alerts as (
    select
        rule,
        baseline,
        candidate,
        code,
        chain,
        value,
        threshold,
        baseline_errors,
        candidate_errors,
        ratio,
        ratio_low,
        ratio_high,
        row_number() over (
            partition by rule, baseline, candidate, code, chain order by value desc, stop_ts asc, window_bins asc
        ) as peak_rank
    from alert_chains
)

select
    rule,
    baseline,
    candidate,
    code,
    chain,
    value as peak_value,
    threshold,
    baseline_errors,
    candidate_errors,
    ratio,
    ratio_low,
    ratio_high
from ranked_alerts
where peak_rank = 1
