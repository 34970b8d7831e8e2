-- The alerts that the passes $run_ids stored: all that they wrote ($every), or the new ones that begin an incident.
with touched as (
    select distinct incident_id from alerts where run_id in (select unnest($run_ids)) and state = 'current'
),

firsts as (
    select arg_min(alert_id, (start_ts, stop_ts, window_bins, alert_id)) as alert_id
    from alerts
    where state = 'current' and incident_id in (select incident_id from touched)
    group by incident_id
)

select
    alert_id, incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, bin_seconds,
    window_bins, value, threshold, baseline_errors, candidate_errors, ratio, ratio_low, ratio_high, state, revision,
    run_id, exposure, candidate_share, dispersion
from alerts
where
    run_id in (select unnest($run_ids)) and state = 'current'
    and ($every or (revision = 0 and alert_id in (select alert_id from firsts)))
order by stop_ts, rule, code, window_bins, alert_id
