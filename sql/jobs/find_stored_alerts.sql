-- The stored alerts of a scope: those that end in ($after, $until] and in the scope of their pair.
create or replace temp table stored as
select
    a.alert_id, a.rule, a.detector, a.baseline, a.candidate, a.code, a.start_ts, a.stop_ts, a.end_ts, a.bin_seconds,
    a.window_bins, a.value, a.threshold, a.baseline_errors, a.candidate_errors, a.ratio, a.ratio_low, a.ratio_high,
    a.exposure, a.candidate_share, a.dispersion, a.state, a.revision, a.run_id,
    slot_of(a.detector, a.window_bins) as slot
from alerts as a
inner join portion_scopes as scopes using (rule, baseline, candidate)
where
    a.end_ts > $after and a.end_ts <= $until
    and epoch(a.end_ts) > scopes.judged_after and epoch(a.end_ts) <= scopes.judged_until
