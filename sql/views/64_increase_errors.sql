-- The errors of an increase since its onset, those that the candidate was to have, and how evenly the others lie.
-- Grain: one row per series and bin of increases; e, t: errors times share, f: times what is fine, w: times weight.
-- Reads: increases, bins, weights, others
-- Feeds: regressions
with
increases as (select * from increases),

bins as (select * from bins where detector = 'sequential' and is_weighed),

weights as (select * from weights),

others as (select * from others),

bins_of_series as (
    select
        b.series, b.rule, b.detector, b.pair_id, b.baseline, b.candidate, b.code, b.bin_seconds, b.bin_second,
        b.past_bins, b.exposure, b.candidate_share, b.tested_share, b.min_ratio, w.weight, b.candidate_errors as k,
        b.baseline_errors + b.candidate_errors as n,
        b.min_ratio * b.tested_share / nullif(1 + (b.min_ratio - 1) * b.tested_share, 0) as fine_share
    from bins as b inner join weights as w on b.series = w.series and b.block = w.block
    where b.series in (select increases.series from increases)
),

-- In decimals: differences of sums are exact wherever a slice begins. The squares are less what they are by chance.
counts as (
    select
        series, rule, detector, pair_id, baseline, candidate, code, bin_seconds, bin_second, past_bins, exposure,
        candidate_share, min_ratio, n, k, n * cast(candidate_share as decimal(13, 12)) as e,
        n * cast(tested_share as decimal(13, 12)) as t, n * cast(fine_share as decimal(13, 12)) as f,
        n * cast(weight as decimal(13, 12)) as w, cast(least(
            pow(k - n * fine_share, 2) - n * fine_share * (1 - fine_share), 1e28
        ) as decimal(38, 6)) as squares
    from bins_of_series
),

sums as (
    select
        series, rule, detector, pair_id, baseline, candidate, code, bin_seconds, bin_second, past_bins, exposure,
        candidate_share, min_ratio, n, k, e, t, f, w, squares, sum(n) over running as n_sum,
        sum(k) over running as k_sum, sum(e) over running as e_sum, sum(t) over running as t_sum,
        sum(f) over running as f_sum, sum(w) over running as w_sum, sum(squares) over running as squares_sum
    from counts window running as (partition by series order by bin_second)
),

starts as (
    select distinct -- else engines join each last bin with all others of its series first
        i.series, i.bin_second, i.next_second, i.onset_second, i.rate_ratio, i.nats, i.threshold, i.doubt,
        a.past_bins - 1 as past_bins, a.n_sum - a.n as n, a.k_sum - a.k as k, a.e_sum - a.e as e, a.t_sum - a.t as t,
        a.f_sum - a.f as f, a.w_sum - a.w as w, a.squares_sum - a.squares as squares
    from increases as i inner join sums as a on i.series = a.series and i.onset_second = a.bin_second
),

totals as (
    select
        i.series, i.bin_second, i.next_second, i.onset_second, i.rate_ratio, i.nats, i.threshold, i.doubt, b.rule,
        b.detector, b.pair_id, b.baseline, b.candidate, b.code, b.bin_seconds, b.exposure, b.candidate_share,
        b.min_ratio, b.past_bins, cast(b.n_sum - i.n as double) as n, cast(b.k_sum - i.k as double) as k,
        cast(b.e_sum - i.e as double) as e, cast(b.t_sum - i.t as double) as t, cast(b.f_sum - i.f as double) as f,
        cast(b.w_sum - i.w as double) as w, cast(b.squares_sum - i.squares as double) as squares,
        b.past_bins - i.past_bins as busy
    from starts as i inner join sums as b on i.series = b.series and i.bin_second = b.bin_second
)

-- Where the other codes tell of a higher share, beside 20 errors at the one that was estimated, it counts for all.
select
    t.series, t.bin_second, t.next_second, t.onset_second, t.rate_ratio, t.nats, t.threshold, t.doubt, t.rule,
    t.detector, t.pair_id, t.baseline, t.candidate, t.code, t.bin_seconds, t.exposure, t.candidate_share, t.min_ratio,
    t.past_bins, t.n, t.k, t.f, t.w, t.squares, t.busy,
    greatest(t.e, coalesce((o.k * t.n + 20 * t.e) / nullif(o.n + 20, 0), 0)) as e,
    greatest(t.t, coalesce((o.k * t.n + 20 * t.t) / nullif(o.n + 20, 0), 0)) as t,
    coalesce(o.k * t.n > o.n * t.t, false) as is_higher
from totals as t left join others as o on t.series = o.series and t.bin_second = o.bin_second
