-- Alerts that are stored with other values become what was found.
update alerts set
    detector = revised.detector, start_ts = revised.start_ts, end_ts = revised.end_ts,
    bin_seconds = revised.bin_seconds, window_bins = revised.window_bins, value = revised.value,
    threshold = revised.threshold, baseline_errors = revised.baseline_errors,
    candidate_errors = revised.candidate_errors, ratio = revised.ratio, ratio_low = revised.ratio_low,
    ratio_high = revised.ratio_high, exposure = revised.exposure, candidate_share = revised.candidate_share,
    dispersion = revised.dispersion, state = 'current', revision = alerts.revision + 1, run_id = $run,
    updated_at = $now
from revised where alerts.alert_id = revised.alert_id
