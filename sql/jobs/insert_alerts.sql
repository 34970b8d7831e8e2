-- Insert new alerts with their incident; ids continue after $before, numbers of new incidents after $incidents.
insert into alerts by name
select
    $before + fresh.place as alert_id, fresh.rule, fresh.detector, fresh.baseline, fresh.candidate, fresh.code,
    fresh.start_ts, fresh.stop_ts, fresh.bin_seconds, fresh.window_bins, fresh.value, fresh.threshold,
    fresh.baseline_errors, fresh.candidate_errors, fresh.ratio, fresh.ratio_low, fresh.ratio_high, 'current' as state,
    0 as revision, $run as run_id, $now as created_at, $now as updated_at, fresh.end_ts,
    coalesce(islands.incident_id, $incidents + islands.place) as incident_id, fresh.exposure, fresh.candidate_share,
    fresh.dispersion
from fresh
inner join islands on fresh.series = islands.series and fresh.start_ts between islands.first_ts and islands.last_ts
