-- How much likelier an increase is than none, from the best start within the history, and what it takes for an alert.
-- Grain: one row per series, ratio and bin: bins with errors of the code, and all that are judged. Natural logarithms.
-- Reads: suspect_bins
-- Feeds: ends, counted, increases
with
suspect_bins as (select * from suspect_bins),

-- What it takes is in information time: by what a bin loses without a change, in the hour up to it.
sums as (
    select
        series, rule, code, baseline, candidate, bin_second, bin_seconds, is_judged, past_bins, rate_ratio, gain,
        history_seconds, history_key, burst_key, sum(gain) over by_bin as total,
        max(error_second) over by_bin as last_second,
        greatest(86400 / nullif(bin_seconds, 0), alarm_bins * least(1, 3 * sum(usual_loss) over (
            partition by series, rate_ratio order by bin_second range between 3599 preceding and current row
        ) / nullif(1073741824 * hour_bins, 0))) as limit_bins
    from suspect_bins window by_bin as (partition by series, rate_ratio order by bin_second)
),

-- The most that so few bins gained together that they may be the burst of one client.
bursts as (
    select
        series, rule, code, baseline, candidate, bin_second, bin_seconds, is_judged, past_bins, rate_ratio, gain,
        history_seconds, history_key, burst_key, total, last_second, limit_bins, total - min(total - gain) over (
            partition by series, rate_ratio order by burst_key range between 1 preceding and current row
        ) as burst
    from sums
)

select
    series, rule, baseline, candidate, code, bin_second, bin_seconds, rate_ratio, is_judged, past_bins, last_second,
    history_seconds, history_key, burst_key, gain, total, min(total - gain) over history as least_total,
    max(case when last_second = bin_second then total end) over history as top_total,
    max(burst) over history as strongest,
    greatest(total - min(total - gain) over history, 0) / 1073741824 as nats, ln(limit_bins) as threshold
from bursts
window history as (partition by series, rate_ratio order by history_key range between 1 preceding and current row)
