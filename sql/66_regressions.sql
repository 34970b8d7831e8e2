-- Bins that fire, with the errors since the estimated onset, their share to be expected, and the ratio of rates.
-- Grain: one row per series and bin with evidence enough that is not over.
-- Reads: bins, weights, verdicts
-- Feeds: fired
with
bins as (
    select
        series, rule, detector, baseline, candidate, code, bin_second, floor(bin_second / 120) * 120 as block_second,
        exposure, candidate_share, tested_share,
        case when is_weighed then baseline_errors else 0 end as b,
        case when is_weighed then candidate_errors else 0 end as k
    from bins where detector = 'sequential'
),

weights as (select series, block_second, weight from weights),

verdicts as (
    select
        series, bin_second, bin_seconds, window_bins, value, threshold, series * 1000000000000 + bin_second as stop_key,
        series * 1000000000000 + bin_second - window_bins * bin_seconds as before_key
    from verdicts where is_enough and not is_over
),

firing as (select distinct series from verdicts),

-- In decimals, so that a difference of sums is exact wherever a slice begins.
sums as (
    select
        bins.series * 1000000000000 + bins.bin_second as bin_key, bins.rule, bins.detector, bins.baseline,
        bins.candidate, bins.code, bins.exposure, bins.candidate_share,
        sum(bins.b) over running as b, sum(bins.k) over running as k,
        sum((bins.b + bins.k) * cast(bins.candidate_share as decimal(13, 12))) over running as e,
        sum((bins.b + bins.k) * cast(bins.tested_share as decimal(13, 12))) over running as t,
        sum((bins.b + bins.k) * cast(weights.weight as decimal(13, 12))) over running as w
    from bins
    inner join firing on bins.series = firing.series
    inner join weights on bins.series = weights.series and bins.block_second = weights.block_second
    window running as (partition by bins.series order by bins.bin_second)
),

found as (
    select
        stops.rule, stops.detector, stops.baseline, stops.candidate, stops.code, stops.exposure, stops.candidate_share,
        verdicts.bin_seconds, verdicts.window_bins, verdicts.bin_second, verdicts.value, verdicts.threshold,
        cast(stops.b - befores.b as double) as b, cast(stops.k - befores.k as double) as k,
        cast(stops.e - befores.e as double) as e, cast(stops.t - befores.t as double) as t,
        cast(stops.w - befores.w as double) as w, cast(stops.b + stops.k - befores.b - befores.k as double) as n
    from verdicts
    inner join sums as stops on verdicts.stop_key = stops.bin_key
    inner join sums as befores on verdicts.before_key = befores.bin_key
)

select
    rule, detector, baseline, candidate, code,
    case when exposure = 'given' and abs(e - n * candidate_share) > 0.001 then 'changing' else exposure end as exposure,
    bin_seconds, window_bins, bin_second - (window_bins - 1) * bin_seconds as start_second, bin_second as stop_second,
    value, threshold, cast(b as bigint) as baseline_errors, cast(k as bigint) as candidate_errors,
    round(e / nullif(n, 0), 6) as candidate_share, round(t / nullif(n, 0), 6) as tested_share,
    round(n / nullif(w, 0), 3) as dispersion, round(k * (n - e) / nullif(b * e, 0), 6) as ratio
from found
