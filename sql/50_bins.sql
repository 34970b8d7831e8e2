-- The value of every bin by the formula of the rule's detector, bins without a record of the code included.
-- Grain: one row per rule, baseline, candidate, code and bin; codes that either build sent in the slice.
-- Reads: judged_bins, tallies, shares
-- Feeds: weights, evidence, windows, regressions
with
judged_bins as (
    select rule, detector, bin_seconds, pair_id, baseline, candidate, bin_second, active_seconds, is_judged, is_weighed
    from judged_bins
),

tallies as (
    select rule, pair_id, code, bin_second, baseline_errors, candidate_errors, recorded_seconds, recorded_value
    from tallies
),

shares as (select rule, pair_id, bin_second, exposure, candidate_share, tested_share from shares),

-- A number for rule, comparison and code together: what windows are joined by.
codes as (
    select rule, pair_id, code, row_number() over (order by rule, pair_id, code) as series
    from tallies
    group by rule, pair_id, code
)

select
    judged_bins.rule, judged_bins.detector, judged_bins.bin_seconds, judged_bins.baseline, judged_bins.candidate,
    codes.code, codes.series, judged_bins.bin_second,
    judged_bins.active_seconds, judged_bins.is_judged, judged_bins.is_weighed,
    shares.exposure, shares.candidate_share, shares.tested_share,
    coalesce(tallies.baseline_errors, 0) as baseline_errors,
    coalesce(tallies.candidate_errors, 0) as candidate_errors,
    -- 36 digits leave room: an engine that runs out of 38 drops decimals.
    cast(coalesce(tallies.recorded_value, 0) as decimal(36, 12))
    + cast(
        case
            -- Active seconds without a record of the code are "equal": 1 / W each.
            when judged_bins.detector = 'mean_ratio'
                then
                    cast(judged_bins.active_seconds - coalesce(tallies.recorded_seconds, 0) as double)
                    / nullif(judged_bins.bin_seconds, 0)
            -- Less what the candidate was to have of them.
            when judged_bins.detector = 'sequential'
                then -shares.candidate_share * coalesce(tallies.baseline_errors + tallies.candidate_errors, 0)
            else 0
        end as decimal(36, 12)
    ) as value
from judged_bins
inner join codes on judged_bins.rule = codes.rule and judged_bins.pair_id = codes.pair_id
left join shares
    on
        judged_bins.rule = shares.rule
        and judged_bins.pair_id = shares.pair_id
        and judged_bins.bin_second = shares.bin_second
left join tallies
    on
        codes.rule = tallies.rule and codes.pair_id = tallies.pair_id and codes.code = tallies.code
        and judged_bins.bin_second = tallies.bin_second
