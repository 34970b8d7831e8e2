-- Which alerts form an incident: a chain of current alerts that overlap or follow each other within reopen_seconds.
-- Grain: one row per chain of alerts of one rule, comparison and code.
-- Reads: alerts, settings
-- Feeds: incidents
with
reaches as (
    select
        alert_id, incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, window_bins, value,
        max(epoch(end_ts)) over (
            partition by rule, baseline, candidate, code
            order by start_ts, alert_id rows between unbounded preceding and 1 preceding
        ) as reach_second
    from alerts where state = 'current'
),

chained as (
    select
        r.alert_id, r.incident_id, r.rule, r.detector, r.baseline, r.candidate, r.code, r.start_ts, r.stop_ts, r.end_ts,
        r.window_bins, r.value, sum(
            case when epoch(r.start_ts) <= r.reach_second + settings.reopen_seconds then 0 else 1 end
        ) over (
            partition by r.rule, r.baseline, r.candidate, r.code
            order by r.start_ts, r.alert_id rows between unbounded preceding and current row
        ) as chain
    from reaches as r cross join settings
),

ranked as (
    select
        alert_id, incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, chain,
        row_number() over (
            partition by rule, baseline, candidate, code, chain order by value desc, stop_ts asc, window_bins asc
        ) as strength,
        row_number() over (partition by rule, baseline, candidate, code, chain order by stop_ts, alert_id) as place
    from chained
)

-- The onset of a regression is that of its first alert: it does not move while the incident is open, or when the same
-- evidence fires again later.
select
    rule, detector, baseline, candidate, code, max(case when strength = 1 then alert_id end) as peak_alert_id,
    min(case when detector <> 'sequential' or place = 1 then start_ts end) as start_ts, max(stop_ts) as stop_ts,
    max(end_ts) as end_ts, min(end_ts) as opened_ts, count(*) as alerts, min(incident_id) as incident_id
from ranked group by rule, detector, baseline, candidate, code, chain
