-- The alerts that a scope should have.
select
    fired.rule, fired.detector, fired.baseline, fired.candidate, fired.code,
    make_timestamp(fired.start_second * 1000000) as start_ts,
    make_timestamp(fired.stop_second * 1000000) as stop_ts,
    make_timestamp(fired.end_second * 1000000) as end_ts,
    fired.bin_seconds, fired.window_bins, fired.value, fired.threshold, fired.baseline_errors, fired.candidate_errors,
    fired.ratio, cast(null as double) as ratio_low, cast(null as double) as ratio_high, fired.exposure,
    fired.candidate_share, fired.dispersion, fired.tested_share,
    slot_of(fired.detector, fired.window_bins) as slot
from fired
inner join portion_scopes as portion using (rule, baseline, candidate)
where fired.end_second > portion.judged_after and fired.end_second <= portion.judged_until
