-- What the rules say: every judged window whose mean is over the threshold, every bin with evidence enough.
-- Grain: one row per rule, baseline, candidate, code, length of window and bin that it ends in.
-- Reads: windows, regressions, span
-- Feeds: people
with
windows as (
    select
        rule, detector, baseline, candidate, code, bin_seconds, window_bins, start_second, stop_second, value,
        threshold, baseline_errors, candidate_errors
    from windows
),

regressions as (
    select
        rule, detector, baseline, candidate, code, bin_seconds, window_bins, start_second, stop_second, value,
        threshold, baseline_errors, candidate_errors, ratio, exposure, candidate_share, tested_share, dispersion
    from regressions
    where is_enough and not is_brief and not is_traffic and not is_silent
),

span as (select first_second from span),

found as (
    select
        windows.rule, windows.detector, windows.baseline, windows.candidate, windows.code, windows.bin_seconds,
        windows.window_bins, windows.start_second, windows.stop_second, windows.value, windows.threshold,
        windows.baseline_errors, windows.candidate_errors,
        round(cast(windows.candidate_errors as double) / nullif(windows.baseline_errors, 0), 6) as ratio,
        cast(null as varchar) as exposure, cast(null as double) as candidate_share,
        cast(null as double) as tested_share, cast(null as double) as dispersion
    from windows
    inner join span on windows.start_second >= floor(span.first_second / windows.bin_seconds) * windows.bin_seconds
    where windows.value > windows.threshold and windows.baseline_errors + windows.candidate_errors > 0
    union all
    select
        rule, detector, baseline, candidate, code, bin_seconds, window_bins, start_second, stop_second, value,
        threshold, baseline_errors, candidate_errors, ratio, exposure, candidate_share, tested_share, dispersion
    from regressions
)

select
    rule, detector, baseline, candidate, code, bin_seconds, window_bins, start_second, stop_second,
    stop_second + bin_seconds as end_second, value, threshold, baseline_errors, candidate_errors, ratio, exposure,
    candidate_share, tested_share, dispersion
from found
