-- From when to when a chain of alerts runs, its strongest alert, and the identity inherited from its oldest.
-- Grain: one row per chain of alerts.
-- Reads: alert_chains
-- Feeds: incidents
with
alert_chains as (
    select
        alert_id, incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, window_bins, value,
        chain
    from alert_chains
),

ranked as (
    select
        alert_id, incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, chain,
        row_number() over (
            partition by rule, baseline, candidate, code, chain order by value desc, stop_ts asc, window_bins asc
        ) as strength,
        row_number() over (partition by rule, baseline, candidate, code, chain order by stop_ts, alert_id) as place
    from alert_chains
),

-- The onset of a regression is that of its first alert: it does not move while the incident is open.
chains as (
    select
        rule, detector, baseline, candidate, code, chain,
        min(incident_id) as inherited_id,
        min(alert_id) as oldest_alert_id,
        max(case when strength = 1 then alert_id end) as peak_alert_id,
        min(case when detector <> 'sequential' or place = 1 then start_ts end) as start_ts,
        max(stop_ts) as stop_ts,
        max(end_ts) as end_ts,
        min(end_ts) as opened_ts,
        count(*) as alerts
    from ranked
    group by rule, detector, baseline, candidate, code, chain
),

-- A retraction in its middle cuts an incident in two: the first part keeps the identity.
parts as (
    select
        rule, detector, baseline, candidate, code, inherited_id, oldest_alert_id, peak_alert_id, start_ts, stop_ts,
        end_ts, opened_ts, alerts,
        row_number() over (partition by inherited_id order by chain) as part
    from chains
)

select
    rule, detector, baseline, candidate, code,
    case when part = 1 then inherited_id else oldest_alert_id end as incident_id,
    peak_alert_id, start_ts, stop_ts, end_ts, opened_ts, alerts
from parts
