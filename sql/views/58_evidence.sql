-- How much likelier an increase is than none, from the best start within the history, and the required evidence.
-- Grain: one row per series, ratio and bin with errors; natural logarithms. Valid until next_second, at most an hour.
-- Reads: gains, suspects, bins, rules
-- Feeds: ends, increases
with
-- Two bins are less than one history apart if their keys differ by at most 1.
sums as (
    select
        b.series, b.rule, b.baseline, b.candidate, b.code, b.bin_second, b.bin_seconds, g.rate_ratio, g.gain,
        g.threshold, rules.window_bins * b.bin_seconds as history_seconds,
        b.bin_second / nullif(rules.window_bins * b.bin_seconds - 0.5, 0) as history_key,
        least(lead(b.bin_second, 1, 253402300799) over by_bin, b.bin_second + 3600) as next_second,
        sum(g.gain) over by_bin as total
    from suspects as s
    inner join gains as g on s.series = g.series
    inner join bins as b on g.series = b.series and g.bin_second = b.bin_second
    inner join rules on b.rule = rules.rule
    where
        g.bin_second > s.first_second - 2 * rules.window_bins * b.bin_seconds - 3600
        and g.bin_second <= s.last_second
    window by_bin as (partition by b.series, g.rate_ratio order by b.bin_second)
)

select
    series, rule, baseline, candidate, code, bin_second, bin_seconds, next_second, history_seconds, history_key,
    rate_ratio, total, total - gain as before_total, min(total - gain) over history as least_total,
    max(total) over history as top_total,
    greatest(total - min(total - gain) over history, 0) as nats, threshold
from sums
window history as (partition by series, rate_ratio order by history_key range between 1 preceding and current row)
