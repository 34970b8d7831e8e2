-- Current alerts of one rule, comparison and code in chains: they overlap, or follow within merge_seconds.
-- Grain: one row per current alert; chain counts up within rule, comparison and code.
-- Reads: alerts, settings
-- Feeds: incident_spans
with
alerts as (
    select
        alert_id, incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, window_bins, value,
        judged_ts
    from alerts
    where state = 'current'
),

settings as (select merge_seconds from settings),

reaches as (
    select
        alerts.alert_id, alerts.incident_id, alerts.rule, alerts.detector, alerts.baseline, alerts.candidate,
        alerts.code, alerts.start_ts, alerts.stop_ts, alerts.end_ts, alerts.window_bins, alerts.value, alerts.judged_ts,
        settings.merge_seconds,
        max(epoch(alerts.end_ts)) over (
            partition by alerts.rule, alerts.baseline, alerts.candidate, alerts.code
            order by alerts.judged_ts, alerts.alert_id rows between unbounded preceding and 1 preceding
        ) as reach_second
    from alerts
    cross join settings
)

select
    alert_id,
    incident_id,
    rule,
    detector,
    baseline,
    candidate,
    code,
    start_ts,
    stop_ts,
    end_ts,
    window_bins,
    value,
    cast(
        sum(case when epoch(judged_ts) <= reach_second + merge_seconds then 0 else 1 end) over (
            partition by rule, baseline, candidate, code
            order by judged_ts, alert_id rows between unbounded preceding and current row
        ) as bigint
    ) as chain
from reaches
