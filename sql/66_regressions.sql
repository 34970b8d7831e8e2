-- Bins with evidence, the errors since the estimated onset, their share to be expected, and the ratio of rates.
-- Grain: one row per series and bin of increases with errors since the onset; is_silent where neither build sends it.
-- Reads: increases, bins, weights
-- Feeds: fired
with
increases as (select * from increases),

bins as (select * from bins where detector = 'sequential' and is_weighed),

weights as (select * from weights),

-- In decimals: differences of sums are exact wherever a slice begins.
worths as (
    select
        b.series, b.rule, b.detector, b.baseline, b.candidate, b.code, b.bin_seconds, b.bin_second, b.past_bins,
        b.exposure, b.candidate_share, b.candidate_errors as k, b.baseline_errors + b.candidate_errors as n,
        (b.baseline_errors + b.candidate_errors) * cast(b.candidate_share as decimal(13, 12)) as e,
        (b.baseline_errors + b.candidate_errors) * cast(b.tested_share as decimal(13, 12)) as t,
        (b.baseline_errors + b.candidate_errors) * cast(weights.weight as decimal(13, 12)) as w
    from bins as b inner join weights on b.series = weights.series and b.block = weights.block
    where b.series in (select increases.series from increases)
),

sums as (
    select
        series, rule, detector, baseline, candidate, code, bin_seconds, bin_second, past_bins, exposure,
        candidate_share, n, k, e, t, w, sum(n) over running as n_sum, sum(k) over running as k_sum,
        sum(e) over running as e_sum, sum(t) over running as t_sum, sum(w) over running as w_sum
    from worths window running as (partition by series order by bin_second)
),

starts as (
    select distinct -- else engines join each last bin with all others of its series first
        i.series, i.bin_second, i.onset_second, i.last_second, i.rate_ratio, i.nats, i.threshold, i.doubt, i.is_enough,
        i.other_nats, i.is_brief, i.past_bins, a.past_bins as start_bins, a.n_sum - a.n as n, a.k_sum - a.k as k,
        a.e_sum - a.e as e, a.t_sum - a.t as t, a.w_sum - a.w as w
    from increases as i inner join sums as a on i.series = a.series and i.onset_second = a.bin_second
),

found as (
    select
        i.series, i.bin_second, i.onset_second, i.rate_ratio, i.nats, i.threshold, i.doubt, i.other_nats, i.is_enough,
        i.is_brief, b.rule, b.detector, b.baseline, b.candidate, b.code, b.bin_seconds, b.exposure, b.candidate_share,
        cast(b.n_sum - i.n as double) as n, cast(b.k_sum - i.k as double) as k, cast(b.e_sum - i.e as double) as e,
        cast(b.t_sum - i.t as double) as t, cast(b.w_sum - i.w as double) as w,
        i.past_bins - b.past_bins as idle, b.past_bins - i.start_bins + 1 as busy
    from starts as i inner join sums as b on i.series = b.series and i.last_second = b.bin_second
)

select
    series, rule, detector, baseline, candidate, code, bin_seconds, bin_second as stop_second,
    cast((bin_second - onset_second) / nullif(bin_seconds, 0) + 1 as bigint) as window_bins,
    onset_second as start_second, rate_ratio, round(nats / 2.302585092994046, 9) as value,
    round(threshold / 2.302585092994046, 9) as threshold, doubt, other_nats, is_enough, is_brief,
    case when exposure = 'given' and abs(e - n * candidate_share) > 0.001 then 'changing' else exposure end as exposure,
    cast(n - k as bigint) as baseline_errors, cast(k as bigint) as candidate_errors,
    w * idle > 6.907755 * busy as is_silent, round(w * idle / nullif(busy, 0), 6) as missed_errors,
    round(e / nullif(n, 0), 6) as candidate_share, round(t / nullif(n, 0), 6) as tested_share,
    round(n / nullif(w, 0), 3) as dispersion, round(k * (n - e) / nullif((n - k) * e, 0), 6) as ratio
from found
