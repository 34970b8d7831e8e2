-- The errors of an increase since its onset, those that the candidate was to have, and how evenly the others lie.
-- Grain: one row per series and bin of increases; e, t: errors times share, f: times what is fine, w: times weight.
-- Reads: increases, bins, weights, hypotheses
-- Feeds: regressions
with
increases as (select * from increases),

bins as (select * from bins where detector = 'sequential' and is_weighed),

weights as (select * from weights),

hypotheses as (select distinct rule, min_ratio from hypotheses),

bins_of_series as (
    select
        b.series, b.rule, b.detector, b.pair_id, b.baseline, b.candidate, b.code, b.bin_seconds, b.bin_second,
        b.past_bins, b.exposure, b.candidate_share, b.tested_share, w.weight, b.candidate_errors as k,
        b.baseline_errors + b.candidate_errors as n,
        h.min_ratio * b.tested_share / nullif(1 + (h.min_ratio - 1) * b.tested_share, 0) as fine_share
    from bins as b inner join weights as w on b.series = w.series and b.block = w.block
    inner join hypotheses as h on b.rule = h.rule
    where b.series in (select increases.series from increases)
),

-- In decimals: differences of sums are exact wherever a slice begins. The squares are less what they are by chance.
counts as (
    select
        series, rule, detector, pair_id, baseline, candidate, code, bin_seconds, bin_second, past_bins, exposure,
        candidate_share, n, k, n * cast(candidate_share as decimal(13, 12)) as e,
        n * cast(tested_share as decimal(13, 12)) as t, n * cast(fine_share as decimal(13, 12)) as f,
        n * cast(weight as decimal(13, 12)) as w, cast(least(
            pow(k - n * fine_share, 2) - n * fine_share * (1 - fine_share), 1e28
        ) as decimal(38, 6)) as squares
    from bins_of_series
),

sums as (
    select
        series, rule, detector, pair_id, baseline, candidate, code, bin_seconds, bin_second, past_bins, exposure,
        candidate_share, n, k, e, t, f, w, squares, sum(n) over running as n_sum, sum(k) over running as k_sum,
        sum(e) over running as e_sum, sum(t) over running as t_sum, sum(f) over running as f_sum,
        sum(w) over running as w_sum, sum(squares) over running as squares_sum
    from counts window running as (partition by series order by bin_second)
),

starts as (
    select distinct -- else engines join each last bin with all others of its series first
        i.series, i.bin_second, i.next_second, i.onset_second, i.rate_ratio, i.nats, i.threshold, i.doubt,
        a.past_bins - 1 as past_bins, a.n_sum - a.n as n, a.k_sum - a.k as k, a.e_sum - a.e as e, a.t_sum - a.t as t,
        a.f_sum - a.f as f, a.w_sum - a.w as w, a.squares_sum - a.squares as squares
    from increases as i inner join sums as a on i.series = a.series and i.onset_second = a.bin_second
)

select
    i.series, i.bin_second, i.next_second, i.onset_second, i.rate_ratio, i.nats, i.threshold, i.doubt, b.rule,
    b.detector, b.pair_id, b.baseline, b.candidate, b.code, b.bin_seconds, b.exposure, b.candidate_share, b.past_bins,
    cast(b.n_sum - i.n as double) as n, cast(b.k_sum - i.k as double) as k, cast(b.e_sum - i.e as double) as e,
    cast(b.t_sum - i.t as double) as t, cast(b.f_sum - i.f as double) as f, cast(b.w_sum - i.w as double) as w,
    cast(b.squares_sum - i.squares as double) as squares, b.past_bins - i.past_bins as busy
from starts as i inner join sums as b on i.series = b.series and i.bin_second = b.bin_second
