-- The evidence of the incidents $incident_ids of page_incidents, as lists in order of time. For long incidents a point
-- is the alert farthest above its threshold in each 300th of the time.
with widths as (
    select
        rule, baseline, candidate, code, incident_id, start_ts, end_ts,
        greatest(1, ceil((epoch(end_ts) - epoch(start_ts)) / 300)) as step_seconds
    from page_incidents
    where incident_id in (select unnest($incident_ids))
),

points as (
    select
        widths.incident_id, floor(epoch(alerts.end_ts) / widths.step_seconds) as place,
        arg_max(cast(epoch(alerts.end_ts) as bigint), alerts.value - alerts.threshold) as end_second,
        arg_max(alerts.value, alerts.value - alerts.threshold) as value,
        arg_max(alerts.threshold, alerts.value - alerts.threshold) as threshold
    from widths
    inner join alerts using (rule, baseline, candidate, code)
    where
        alerts.state = 'current' and alerts.end_ts > widths.start_ts
        and alerts.end_ts <= widths.end_ts
    group by all
)

select
    incident_id, list(end_second order by place) as end_seconds, list(value order by place) as peak_values,
    list(threshold order by place) as thresholds
from points
group by incident_id
