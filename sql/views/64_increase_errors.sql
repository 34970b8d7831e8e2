-- The errors of an increase since its onset, those expected of the candidate, and how concentrated the excess is.
-- Grain: one row per series and bin of increases; e, t: errors times share, f: times allowed share, w: times weight.
-- Reads: increases, bins, weights, others
-- Feeds: regressions
with
fine_bins as (
    select
        b.series, b.bin_second, b.past_bins, b.candidate_share, b.tested_share, w.weight, b.candidate_errors as k,
        b.baseline_errors + b.candidate_errors as n,
        b.min_ratio * b.tested_share / nullif(1 + (b.min_ratio - 1) * b.tested_share, 0) as fine_share
    from bins as b inner join weights as w on b.series = w.series and b.block = w.block
    where b.is_weighed and b.series in (select increases.series from increases)
),

-- In decimals, so that differences of sums are exact wherever a slice begins. squares: of the excess, minus chance.
counts as (
    select
        series, bin_second, past_bins, n, k, n * cast(candidate_share as decimal(13, 12)) as e,
        n * cast(tested_share as decimal(13, 12)) as t, n * cast(fine_share as decimal(13, 12)) as f,
        n * cast(weight as decimal(13, 12)) as w, cast(least(
            pow(k - n * fine_share, 2) - n * fine_share * (1 - fine_share), 1e28
        ) as decimal(38, 6)) as squares
    from fine_bins
),

sums as (
    select
        series, bin_second, past_bins, n, k, e, t, f, w, squares, sum(n) over running as n_sum,
        sum(k) over running as k_sum, sum(e) over running as e_sum, sum(t) over running as t_sum,
        sum(f) over running as f_sum, sum(w) over running as w_sum, sum(squares) over running as squares_sum
    from counts window running as (partition by series order by bin_second)
),

-- Left joins, because with inner joins engines first join each last bin with all others of its series.
totals as (
    select
        i.series, i.bin_second, i.next_second, i.onset_second, i.rate_ratio, i.nats, i.threshold, i.doubt,
        b.past_bins - a.past_bins + 1 as busy, cast(b.n_sum - a.n_sum + a.n as double) as n,
        cast(b.k_sum - a.k_sum + a.k as double) as k, cast(b.e_sum - a.e_sum + a.e as double) as e,
        cast(b.t_sum - a.t_sum + a.t as double) as t, cast(b.f_sum - a.f_sum + a.f as double) as f,
        cast(b.w_sum - a.w_sum + a.w as double) as w,
        cast(b.squares_sum - a.squares_sum + a.squares as double) as squares
    from increases as i
    left join sums as a on i.series = a.series and i.onset_second = a.bin_second
    left join sums as b on i.series = b.series and i.bin_second = b.bin_second
)

-- If the other codes, with 20 errors at the estimated share added, have a higher share, that share is used.
select
    t.series, t.bin_second, t.next_second, t.onset_second, t.rate_ratio, t.nats, t.threshold, t.doubt, t.busy, t.n, t.k,
    greatest(t.e, coalesce((o.k * t.n + 20 * t.e) / nullif(o.n + 20, 0), 0)) as e,
    greatest(t.t, coalesce((o.k * t.n + 20 * t.t) / nullif(o.n + 20, 0), 0)) as t, t.f, t.w, t.squares,
    coalesce(o.k * t.n > o.n * t.t, false) as is_higher
from totals as t left join others as o on t.series = o.series and t.bin_second = o.bin_second
