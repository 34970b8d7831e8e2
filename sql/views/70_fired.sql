-- The alerts of the rules: every judged window with a mean above the threshold, every bin with enough evidence.
-- Grain: one row per rule, baseline, candidate, code, window length and bin in which the window ends.
-- Reads: windows, regressions, span
-- Feeds: people
select
    w.rule, w.detector, w.baseline, w.candidate, w.code, w.bin_seconds, w.window_bins, w.start_second, w.stop_second,
    w.stop_second + w.bin_seconds as end_second, w.value, w.threshold, w.baseline_errors, w.candidate_errors,
    round(cast(w.candidate_errors as double) / nullif(w.baseline_errors, 0), 6) as ratio,
    cast(null as varchar) as exposure, cast(null as double) as candidate_share, cast(null as double) as tested_share,
    cast(null as double) as dispersion
from windows as w
inner join span on w.start_second >= floor(span.first_second / w.bin_seconds) * w.bin_seconds
where w.value > w.threshold and w.baseline_errors + w.candidate_errors > 0
union all
select
    rule, detector, baseline, candidate, code, bin_seconds, window_bins, start_second, stop_second,
    stop_second + bin_seconds as end_second, value, threshold, baseline_errors, candidate_errors, ratio, exposure,
    candidate_share, tested_share, dispersion
from regressions where is_enough and not is_brief and not is_traffic and not is_silent
