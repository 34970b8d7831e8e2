-- Bins with evidence, the errors since the estimated onset, their share to be expected, and the ratio of rates.
-- Grain: one row per series and bin with evidence enough that is not over; is_silent where neither build sends it.
-- Reads: bins, weights, verdicts
-- Feeds: fired
with
verdicts as (
    select
        series, bin_second, bin_seconds, window_bins, value, threshold, series * 1000000000000 + bin_second as stop_key,
        series * 1000000000000 + bin_second - window_bins * bin_seconds as before_key
    from verdicts where is_enough and not is_over
),

bins as (
    select
        series, rule, detector, baseline, candidate, code, bin_second, floor(bin_second / 120) * 120 as block_second,
        exposure, candidate_share, tested_share, case when is_weighed then 1 else 0 end as heard,
        case when is_weighed then baseline_errors + candidate_errors else 0 end as n,
        case when is_weighed then candidate_errors else 0 end as k
    from bins where detector = 'sequential'
),

weights as (select series, block_second, weight from weights),

-- In decimals, so that a difference of sums is exact wherever a slice begins.
sums as (
    select
        bins.series * 1000000000000 + bins.bin_second as bin_key, bins.rule, bins.detector, bins.baseline,
        bins.candidate, bins.code, bins.exposure, bins.candidate_share, sum(bins.heard) over running as heard,
        max(case when bins.n > 0 then bins.bin_second end) over running as last_second, sum(bins.n) over running as n,
        sum(bins.k) over running as k, sum(bins.n * cast(bins.candidate_share as decimal(13, 12))) over running as e,
        sum(bins.n * cast(bins.tested_share as decimal(13, 12))) over running as t,
        sum(bins.n * cast(weights.weight as decimal(13, 12))) over running as w
    from bins
    inner join weights on bins.series = weights.series and bins.block_second = weights.block_second
    where bins.series in (select verdicts.series from verdicts)
    window running as (partition by bins.series order by bins.bin_second)
),

found as (
    select
        stops.rule, stops.detector, stops.baseline, stops.candidate, stops.code, stops.exposure, stops.candidate_share,
        verdicts.bin_seconds, verdicts.window_bins, verdicts.bin_second, verdicts.value, verdicts.threshold,
        cast(stops.n - befores.n as double) as n, cast(stops.k - befores.k as double) as k,
        cast(stops.e - befores.e as double) as e, cast(stops.t - befores.t as double) as t,
        cast(stops.w - befores.w as double) as w, stops.heard - lasts.heard as idle, lasts.heard - befores.heard as busy
    from verdicts
    inner join sums as stops on verdicts.stop_key = stops.bin_key
    inner join sums as befores on verdicts.before_key = befores.bin_key
    inner join sums as lasts on verdicts.series * 1000000000000 + stops.last_second = lasts.bin_key
)

select
    rule, detector, baseline, candidate, code, bin_seconds, window_bins, bin_second as stop_second, value, threshold,
    case when exposure = 'given' and abs(e - n * candidate_share) > 0.001 then 'changing' else exposure end as exposure,
    bin_second - (window_bins - 1) * bin_seconds as start_second, cast(n - k as bigint) as baseline_errors,
    cast(k as bigint) as candidate_errors, round(e / nullif(n, 0), 6) as candidate_share,
    round(t / nullif(n, 0), 6) as tested_share, round(n / nullif(w, 0), 3) as dispersion,
    round(k * (n - e) / nullif((n - k) * e, 0), 6) as ratio, round(w * idle / nullif(busy, 0), 6) as missed_errors,
    w * idle > 6.907755 * busy as is_silent
from found
