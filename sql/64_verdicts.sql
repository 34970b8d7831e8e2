-- What the evidence of all windows together says of a suspect bin, and whether its recent bins still speak for it.
-- Grain: one row per series and suspect bin; the window is the strongest one, its beginning the estimated onset.
-- Reads: evidence_windows
-- Feeds: regressions
with
evidence_windows as (
    select series, bin_second, bin_seconds, window_bins, threshold, place, rate_ratio, log_likelihood, term
    from evidence_windows
),

-- The likeliest beginning; of windows that say the same the shortest, for bins without weight tell nothing.
ranked as (
    select
        series, bin_second, bin_seconds, window_bins, threshold, place, rate_ratio, log_likelihood, term,
        max(term) over (partition by series, bin_second) as top_term,
        row_number() over (
            partition by series, bin_second order by log_likelihood desc, window_bins asc, place asc
        ) as strength
    from evidence_windows
),

sums as (
    select series, bin_second, max(top_term) + ln(sum(exp(term - top_term))) as log_evidence
    from ranked
    group by series, bin_second
),

strongest as (
    select series, bin_second, bin_seconds, window_bins, threshold, place, rate_ratio
    from ranked
    where strength = 1
),

-- A long window keeps its evidence when the cause is gone: the shorter ones then speak against it.
doubts as (
    select strongest.series, strongest.bin_second, max(-ranked.log_likelihood) as doubt
    from strongest
    inner join ranked
        on
            strongest.series = ranked.series
            and strongest.bin_second = ranked.bin_second
            and strongest.place = ranked.place
            and strongest.window_bins > ranked.window_bins
    group by strongest.series, strongest.bin_second
)

select
    strongest.series,
    strongest.bin_second,
    strongest.bin_seconds,
    strongest.window_bins,
    strongest.rate_ratio,
    round(sums.log_evidence / 2.302585092994046, 9) as value,
    strongest.threshold,
    coalesce(doubts.doubt, 0) as doubt,
    round(sums.log_evidence / 2.302585092994046, 9) >= strongest.threshold as is_enough,
    coalesce(doubts.doubt, 0) > 4 * 2.302585092994046 as is_over
from strongest
inner join sums on strongest.series = sums.series and strongest.bin_second = sums.bin_second
left join doubts on strongest.series = doubts.series and strongest.bin_second = doubts.bin_second
