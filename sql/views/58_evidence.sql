-- How much likelier an increase is than none, from the best start within the history, and what it takes for an alert.
-- Grain: one row per series, ratio and bin with errors; natural logarithms. It stands until next_second, or an hour.
-- Reads: gains, suspects, bins, rules
-- Feeds: ends, increases
with
gains as (select * from gains),

suspects as (select * from suspects),

bins as (select * from bins where detector = 'sequential'),

rules as (select rule, window_bins from rules),

-- Two bins are less than one history apart where their keys differ by at most 1.
sums as (
    select
        gains.series, bins.rule, bins.baseline, bins.candidate, bins.code, gains.bin_second, bins.bin_seconds,
        gains.rate_ratio, gains.gain, gains.threshold, rules.window_bins * bins.bin_seconds as history_seconds,
        gains.bin_second / nullif(rules.window_bins * bins.bin_seconds - 0.5, 0) as history_key,
        least(lead(gains.bin_second, 1, 253402300799) over by_bin, gains.bin_second + 3600) as next_second,
        sum(gains.gain) over by_bin as total
    from suspects
    inner join gains on suspects.series = gains.series
    inner join bins on gains.series = bins.series and gains.bin_second = bins.bin_second
    inner join rules on bins.rule = rules.rule
    where
        gains.bin_second > suspects.first_second - 2 * rules.window_bins * bins.bin_seconds - 3600
        and gains.bin_second <= suspects.last_second
    window by_bin as (partition by gains.series, gains.rate_ratio order by gains.bin_second)
)

select
    series, rule, baseline, candidate, code, bin_second, bin_seconds, next_second, history_seconds, history_key,
    rate_ratio, total, total - gain as before_total, min(total - gain) over history as least_total,
    max(total) over history as top_total,
    greatest(total - min(total - gain) over history, 0) / 1073741824 as nats, threshold
from sums
window history as (partition by series, rate_ratio order by history_key range between 1 preceding and current row)
