-- The alerts that are stored for the first time, in the order of their time; a job puts these in place of `found`.
-- Identities follow that order: several threads would draw them from the sequence in any.
with ordered as (
    select
        found.rule, found.detector, found.baseline, found.candidate, found.code, found.start_ts, found.stop_ts,
        found.end_ts, found.bin_seconds, found.window_bins, found.value, found.threshold, found.baseline_errors,
        found.candidate_errors, found.ratio, found.ratio_low, found.ratio_high, found.exposure,
        found.candidate_share, found.dispersion, series.series
    from found inner join series using (rule, baseline, candidate, code)
    order by found.stop_ts, series.series, found.window_bins
)

select
    row_number() over () as place, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, bin_seconds,
    window_bins, value, threshold, baseline_errors, candidate_errors, ratio, ratio_low, ratio_high, exposure,
    candidate_share, dispersion, series
from ordered
