-- From when to when a chain of alerts runs, and the identity that it inherits from its oldest alert.
-- Grain: one row per chain of alerts.
-- Reads: alert_chains
-- Feeds: incidents
with
chains as (
    select
        rule,
        detector,
        baseline,
        candidate,
        code,
        chain,
        min(incident_id) as inherited_id,
        min(alert_id) as oldest_alert_id,
        min(start_ts) as start_ts,
        max(stop_ts) as stop_ts,
        max(end_ts) as end_ts,
        count(*) as alerts
    from alert_chains
    group by rule, detector, baseline, candidate, code, chain
),

-- A retraction in its middle cuts an incident in two: the first part keeps the identity.
parts as (
    select
        rule, detector, baseline, candidate, code, chain,
        inherited_id, oldest_alert_id, start_ts, stop_ts, end_ts, alerts,
        row_number() over (partition by inherited_id order by start_ts, oldest_alert_id) as part
    from chains
)

select
    rule,
    detector,
    baseline,
    candidate,
    code,
    chain,
    case when part = 1 then inherited_id else oldest_alert_id end as incident_id,
    start_ts,
    stop_ts,
    end_ts,
    alerts
from parts
