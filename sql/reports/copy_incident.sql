-- The figures of one incident, for people to copy: literals take the place of the parameters.
select
    state, start_ts, opened_ts, end_ts, baseline_errors, candidate_errors, ratio, ratio_low, ratio_high,
    exposure, candidate_share, peak_value, threshold
from incidents
where incident_id = $incident_id
