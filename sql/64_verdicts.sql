-- What the evidence of all windows together says of a bin that can have enough, and whether the increase has ended.
-- Grain: one row per series and bin of evidence_windows; the window is the likeliest one, its beginning the onset.
-- Reads: evidence_windows
-- Feeds: regressions
with
evidence_windows as (
    select
        series, bin_second, bin_seconds, window_bins, threshold, place, rate_ratio, log_likelihood,
        log_likelihood + log_share as term
    from evidence_windows
),

-- Of windows that say the same the shortest, for bins without weight tell nothing. What longer windows say less what
-- this one says is an increase that ended where this one begins.
ranked as (
    select
        series, bin_second, bin_seconds, window_bins, threshold, rate_ratio, log_likelihood, term,
        max(term) over (partition by series, bin_second) as top_term,
        max(log_likelihood) over (
            partition by series, bin_second, place order by window_bins desc
            rows between unbounded preceding and 1 preceding
        ) - log_likelihood as ended_likelihood,
        row_number() over (
            partition by series, bin_second order by log_likelihood desc, window_bins asc, place asc
        ) as strength
    from evidence_windows
),

sums as (
    select
        series, bin_second, max(top_term) + ln(sum(exp(term - top_term))) as log_evidence,
        greatest(max(ended_likelihood) - max(log_likelihood), 0) as doubt
    from ranked
    group by series, bin_second
)

select
    ranked.series,
    ranked.bin_second,
    ranked.bin_seconds,
    ranked.window_bins,
    ranked.rate_ratio,
    round(sums.log_evidence / 2.302585092994046, 9) as value,
    ranked.threshold,
    coalesce(sums.doubt, 0) as doubt,
    round(sums.log_evidence / 2.302585092994046, 9) >= ranked.threshold as is_enough,
    -- A thousand times likelier that it has ended than that it goes on.
    coalesce(sums.doubt, 0) > 6.907755 as is_over
from ranked
inner join sums on ranked.series = sums.series and ranked.bin_second = sums.bin_second
where ranked.strength = 1
