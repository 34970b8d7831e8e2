-- How much a code's share changes from one block with errors to the next: 1 on average if errors come singly.
-- Grain: one row per series and block with errors; spread and known are 0 if it is unknown.
-- Reads: bins
-- Feeds: weights
with
-- Errors of both builds (n), of the candidate (k), and those expected of the candidate at equal rates (e).
blocks as (
    select
        rule, pair_id, code, series, block, max(bin_seconds) as bin_seconds,
        sum(cast(baseline_errors + candidate_errors as double)) as n, sum(cast(candidate_errors as double)) as k,
        cast(sum((baseline_errors + candidate_errors) * cast(candidate_share as decimal(13, 12))) as double) as e
    from bins where detector = 'sequential' and is_weighed group by rule, pair_id, code, series, block
),

-- Each block with the previous one that has errors, at most 30 blocks back. A regression changes the share only once.
neighbours as (
    select
        rule, pair_id, code, series, block, bin_seconds, n, k, e, lag(k) over by_block as k0,
        lag(e) over by_block as e0, case when block - lag(block) over by_block <= 30 then lag(n) over by_block end as n0
    from blocks window by_block as (partition by series order by block)
),

-- The variance by chance, if both blocks have the same rate ratio.
expected as (
    select
        rule, pair_id, code, series, block, bin_seconds, n, n + n0 as errors, pow(k * e0 - k0 * e, 2) as square,
        (k + k0) * e * e0
        - pow((k + k0) * e * e0 / nullif(e + e0, 0), 2) * (1 / nullif(n, 0) + 1 / nullif(n0, 0)) as variance,
        e * e0 * (e + e0) * 0.000000001 as least_variance
    from neighbours
)

-- Capped, so that the onset of a regression adds little; in units of 2^-20, so that sums do not depend on their order.
select
    rule, pair_id, code, series, block, bin_seconds, n as errors,
    case when variance > least_variance then 1 else 0 end as known, case when variance > least_variance then floor(
        least(square / nullif(variance, 0) * (errors - 1) / nullif(errors, 0), 200) * 1048576 + 0.5
    ) / 1048576 else 0 end as spread
from expected
