-- Store the former values of alerts that are revised or retracted, at $now by $run.
insert into alert_revisions
select
    alert_id, revision, state, start_ts, end_ts, window_bins, value, threshold, baseline_errors, candidate_errors,
    ratio, ratio_low, ratio_high, exposure, candidate_share, dispersion, run_id, $run as revised_by, $now as revised_at
from stored
where alert_id in (select alert_id from revised) or alert_id in (select alert_id from retracted)
order by alert_id
