-- What the rules say: every judged window whose mean is over the threshold.
-- Grain: one row per rule, baseline, candidate, code, length of window and bin that it ends in.
-- Reads: windows, span
-- Feeds: people
with
windows as (
    select
        rule, detector, baseline, candidate, code, bin_seconds, window_bins, start_second, stop_second, value,
        threshold, baseline_errors, candidate_errors
    from windows
),

span as (select first_second from span)

select
    windows.rule,
    windows.detector,
    windows.baseline,
    windows.candidate,
    windows.code,
    windows.bin_seconds,
    windows.window_bins,
    windows.start_second,
    windows.stop_second,
    windows.stop_second + windows.bin_seconds as end_second,
    windows.value,
    windows.threshold,
    windows.baseline_errors,
    windows.candidate_errors,
    case
        when windows.baseline_errors > 0
            then round(cast(windows.candidate_errors as double) / nullif(windows.baseline_errors, 0), 6)
    end as ratio
from windows
inner join span on windows.start_second >= floor(span.first_second / windows.bin_seconds) * windows.bin_seconds
where
    windows.value > windows.threshold
    and windows.baseline_errors + windows.candidate_errors > 0
