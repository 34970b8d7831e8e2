-- The bins of each code: errors of both builds, the value of the mean rules, and the shares that sequential tests.
-- Grain: one row per rule, pair, code and bin; of sequential only bins with an error of the code, of the others all.
-- Reads: judged_bins, tallies, shares
-- Feeds: spreads, code_errors, gains, suspects, evidence, windows, increase_errors, reaches
with
judged_bins as (select * from judged_bins),

tallies as (select * from tallies),

shares as (select * from shares),

sums as (
    select rule, pair_id, code, bin_second, baseline_errors, candidate_errors, recorded_seconds, recorded_value
    from tallies
    where rule in (select judged_bins.rule from judged_bins where judged_bins.detector <> 'sequential')
),

-- A number for rule, comparison and code together: what windows are joined by.
codes as (
    select rule, pair_id, code, row_number() over (order by rule, pair_id, code) as series
    from tallies group by rule, pair_id, code
),

-- 36 digits leave room: an engine that runs out of 38 drops decimals. Active seconds without a record of the code are
-- "equal" to mean_ratio: 1 / W each.
cells as (
    select
        bins.rule, bins.detector, bins.bin_seconds, bins.pair_id, bins.baseline, bins.candidate, codes.code,
        codes.series, bins.bin_second, bins.active_seconds, bins.is_judged, bins.is_weighed, bins.past_bins,
        cast(null as varchar) as exposure, cast(null as double) as candidate_share,
        cast(null as double) as tested_share, cast(null as double) as min_ratio,
        coalesce(sums.baseline_errors, 0) as baseline_errors,
        coalesce(sums.candidate_errors, 0) as candidate_errors,
        cast(coalesce(sums.recorded_value, 0) as decimal(36, 12)) + cast(case
            when bins.detector = 'mean_ratio'
                then cast(bins.active_seconds - coalesce(sums.recorded_seconds, 0) as double)
            else 0
        end / nullif(bins.bin_seconds, 0) as decimal(36, 12)) as value
    from judged_bins as bins
    inner join codes on bins.rule = codes.rule and bins.pair_id = codes.pair_id
    left join sums
        on
            codes.rule = sums.rule and codes.pair_id = sums.pair_id and codes.code = sums.code
            and bins.bin_second = sums.bin_second
    where bins.detector <> 'sequential'
    union all
    select
        bins.rule, bins.detector, bins.bin_seconds, bins.pair_id, bins.baseline, bins.candidate, codes.code,
        codes.series, bins.bin_second, bins.active_seconds, bins.is_judged, bins.is_weighed, bins.past_bins,
        shares.exposure, shares.candidate_share, shares.tested_share, shares.min_ratio, tallies.baseline_errors,
        tallies.candidate_errors, cast(null as decimal(36, 12)) as value
    from judged_bins as bins
    inner join shares
        on bins.rule = shares.rule and bins.pair_id = shares.pair_id and bins.bin_second = shares.bin_second
    inner join tallies
        on bins.rule = tallies.rule and bins.pair_id = tallies.pair_id and bins.bin_second = tallies.bin_second
    inner join codes on tallies.rule = codes.rule and tallies.pair_id = codes.pair_id and tallies.code = codes.code
    where bins.detector = 'sequential'
)

-- A block is two minutes, or a wider bin.
select
    rule, detector, bin_seconds, pair_id, baseline, candidate, code, series, bin_second,
    cast(floor(bin_second / nullif(greatest(bin_seconds, 120), 0)) as bigint) as block, active_seconds, is_judged,
    is_weighed, past_bins, exposure, candidate_share, tested_share, min_ratio, baseline_errors, candidate_errors, value
from cells
