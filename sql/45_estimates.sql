-- The candidate's share of a stream itself, as a centre over codes that one broken code does not move.
-- Grain: one row per rule, pair and block of two minutes, where the exposure of the comparison is "estimated".
-- Reads: judged_bins, tallies, pairs
-- Feeds: shares
with
judged_bins as (select rule, pair_id, bin_second, is_weighed from judged_bins where detector = 'sequential'),

tallies as (select rule, pair_id, code, bin_second, baseline_errors, candidate_errors from tallies),

pairs as (select pair_id from pairs where exposure = 'estimated'),

bins as (
    select
        judged_bins.rule, judged_bins.pair_id, judged_bins.bin_second, judged_bins.is_weighed,
        floor(judged_bins.bin_second / 120) * 120 as block_second
    from judged_bins
    inner join pairs on judged_bins.pair_id = pairs.pair_id
),

blocks as (select distinct rule, pair_id, block_second from bins),

-- In a gap the other build alone would be heard.
block_tallies as (
    select
        bins.rule, bins.pair_id, tallies.code, bins.block_second, sum(tallies.candidate_errors) as candidate_errors,
        cast(sum(tallies.baseline_errors + tallies.candidate_errors) as double) as errors
    from bins
    inner join tallies
        on bins.rule = tallies.rule and bins.pair_id = tallies.pair_id and bins.bin_second = tallies.bin_second
    where bins.is_weighed
    group by bins.rule, bins.pair_id, tallies.code, bins.block_second
),

-- The hour that is over when a block begins: what a bin is judged by must not change with the bins after it.
hours as (
    select
        blocks.rule, blocks.pair_id, blocks.block_second, block_tallies.code,
        sum(block_tallies.errors) as errors,
        sum(block_tallies.candidate_errors) / nullif(sum(block_tallies.errors), 0) as code_share
    from blocks
    inner join block_tallies
        on
            blocks.rule = block_tallies.rule and blocks.pair_id = block_tallies.pair_id
            and blocks.block_second > block_tallies.block_second
            and blocks.block_second <= block_tallies.block_second + 3600
    group by blocks.rule, blocks.pair_id, blocks.block_second, block_tallies.code
),

ranks as (
    select
        rule, pair_id, block_second, code_share,
        sum(errors) over (partition by rule, pair_id, block_second order by code_share, code) as errors_up_to,
        sum(errors) over (partition by rule, pair_id, block_second) as all_errors
    from hours
)

select rule, pair_id, cast(block_second as bigint) as block_second, min(code_share) as candidate_share
from ranks
where 2 * errors_up_to >= all_errors
group by rule, pair_id, block_second
