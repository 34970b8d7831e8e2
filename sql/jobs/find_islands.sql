-- Chains of alerts that overlap or follow each other within reopen_seconds: new ones and stored neighbours of any
-- state. The oldest stored alert, even a retracted one, gives the incident its number; without one the incident is new.
create or replace temp table islands as
with reached as (select min(start_ts) as first_ts, max(end_ts) as last_ts from fresh),

near as (
    select series, start_ts, end_ts, $before + place as alert_id, cast(null as bigint) as incident_id from fresh
    union all
    select series.series, alerts.start_ts, alerts.end_ts, alerts.alert_id, alerts.incident_id
    from alerts
    inner join series using (rule, baseline, candidate, code)
    cross join reached
    where
        alerts.end_ts >= reached.first_ts - to_seconds($reopen_seconds)
        and alerts.start_ts <= reached.last_ts + to_seconds($reopen_seconds)
),

stretches as (
    select
        series, start_ts, max(end_ts) as end_ts, min(alert_id) as alert_id,
        arg_min(incident_id, alert_id) as incident_id
    from near
    group by series, start_ts
),

reaches as (
    select
        *, max(end_ts) over (
            partition by series order by start_ts rows between unbounded preceding and 1 preceding
        ) as reach_ts
    from stretches
),

chained as (
    select
        *, sum(case when start_ts <= reach_ts + to_seconds($reopen_seconds) then 0 else 1 end) over (
            partition by series order by start_ts rows between unbounded preceding and current row
        ) as chain
    from reaches
),

chains as (
    select
        series, min(start_ts) as first_ts, max(start_ts) as last_ts, min(alert_id) as oldest_alert_id,
        arg_min(incident_id, alert_id) as incident_id
    from chained
    group by series, chain
)

select
    series, first_ts, last_ts, incident_id,
    row_number() over (partition by incident_id is null order by oldest_alert_id) as place
from chains
