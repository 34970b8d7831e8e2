-- The bins of each code: errors of both builds, the value for rules of means, and the shares for sequential.
-- Grain: one row per rule, pair, code and bin; for sequential only bins with an error of the code, else all bins.
-- Reads: judged_bins, tallies, shares
-- Feeds: spreads, code_errors, gains, suspects, evidence, windows, increase_errors, regressions, code_reaches
with
-- A number for rule, comparison and code together, for joins.
codes as (
    select rule, pair_id, code, row_number() over (order by rule, pair_id, code) as series
    from tallies group by rule, pair_id, code
),

cells as (
    select
        b.rule, b.detector, b.bin_seconds, b.pair_id, b.baseline, b.candidate, b.bin_second, b.active_seconds,
        b.is_judged, b.is_weighed, b.past_bins, c.code, c.series, t.baseline_errors, t.candidate_errors,
        t.recorded_seconds, t.recorded_value
    from judged_bins as b
    inner join codes as c on b.rule = c.rule and b.pair_id = c.pair_id
    left join tallies as t
        on c.rule = t.rule and c.pair_id = t.pair_id and c.code = t.code and b.bin_second = t.bin_second
    where b.detector <> 'sequential'
    union all
    select
        b.rule, b.detector, b.bin_seconds, b.pair_id, b.baseline, b.candidate, b.bin_second, b.active_seconds,
        b.is_judged, b.is_weighed, b.past_bins, c.code, c.series, t.baseline_errors, t.candidate_errors,
        t.recorded_seconds, t.recorded_value
    from judged_bins as b
    inner join tallies as t on b.rule = t.rule and b.pair_id = t.pair_id and b.bin_second = t.bin_second
    inner join codes as c on t.rule = c.rule and t.pair_id = c.pair_id and t.code = c.code
    where b.detector = 'sequential'
)

-- A block is two minutes, or a wider bin. 36 digits, because an engine that exceeds 38 drops decimals. For mean_ratio,
-- active seconds without a record of the code are equal rates: 1 / W each.
select
    c.rule, c.detector, c.bin_seconds, c.pair_id, c.baseline, c.candidate, c.code, c.series, c.bin_second,
    cast(floor(c.bin_second / nullif(greatest(c.bin_seconds, 120), 0)) as bigint) as block, c.active_seconds,
    c.is_judged, c.is_weighed, c.past_bins, s.exposure, s.candidate_share, s.tested_share, s.min_ratio,
    coalesce(c.baseline_errors, 0) as baseline_errors, coalesce(c.candidate_errors, 0) as candidate_errors,
    case
        when c.detector <> 'sequential'
            then cast(coalesce(c.recorded_value, 0) as decimal(36, 12)) + cast(case
                when c.detector = 'mean_ratio' then cast(c.active_seconds - coalesce(c.recorded_seconds, 0) as double)
                else 0
            end / nullif(c.bin_seconds, 0) as decimal(36, 12))
    end as value
from cells as c
left join shares as s on c.rule = s.rule and c.pair_id = s.pair_id and c.bin_second = s.bin_second
