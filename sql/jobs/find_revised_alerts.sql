-- Alerts that were found with other values than the stored ones.
create or replace temp table revised as
select
    stored.alert_id, found.detector, found.start_ts, found.end_ts, found.bin_seconds, found.window_bins, found.value,
    found.threshold, found.baseline_errors, found.candidate_errors, found.ratio, found.ratio_low, found.ratio_high,
    found.exposure, found.candidate_share, found.dispersion
from stored inner join found using (rule, baseline, candidate, code, slot, stop_ts)
where
    stored.state <> 'current'
    or stored.detector <> found.detector
    or stored.bin_seconds <> found.bin_seconds
    or stored.window_bins <> found.window_bins
    or stored.start_ts <> found.start_ts
    or stored.value <> found.value
    or stored.threshold <> found.threshold
    or stored.baseline_errors <> found.baseline_errors
    or stored.candidate_errors <> found.candidate_errors
    or stored.ratio is distinct from found.ratio
    or stored.ratio_low is distinct from found.ratio_low
    or stored.ratio_high is distinct from found.ratio_high
    or stored.exposure is distinct from found.exposure
    or stored.candidate_share is distinct from found.candidate_share
    or stored.dispersion is distinct from found.dispersion
