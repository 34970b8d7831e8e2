-- The candidate's share of a stream itself, as a centre over codes that one broken code does not move.
-- Grain: one row per rule, pair and block of two minutes, where the exposure of the comparison is "estimated".
-- Reads: bin_grids, tallies, pairs
-- Feeds: shares
with
bin_grids as (select rule, pair_id, bin_second from bin_grids where detector = 'sequential'),

tallies as (select rule, pair_id, code, bin_second, baseline_errors, candidate_errors from tallies),

pairs as (select pair_id from pairs where exposure = 'estimated'),

blocks as (
    select distinct bin_grids.rule, bin_grids.pair_id, floor(bin_grids.bin_second / 120) * 120 as block_second
    from bin_grids
    inner join pairs on bin_grids.pair_id = pairs.pair_id
),

block_tallies as (
    select
        rule, pair_id, code, floor(bin_second / 120) * 120 as block_second,
        sum(candidate_errors) as candidate_errors, sum(baseline_errors + candidate_errors) as errors
    from tallies
    group by rule, pair_id, code, floor(bin_second / 120) * 120
),

-- The hour that is over when a block begins: what a bin is judged by must not change with the bins after it.
hours as (
    select
        blocks.rule, blocks.pair_id, blocks.block_second, block_tallies.code,
        cast(sum(block_tallies.errors) as double) as errors,
        sum(block_tallies.candidate_errors) / nullif(cast(sum(block_tallies.errors) as double), 0) as code_share
    from blocks
    inner join block_tallies
        on
            blocks.rule = block_tallies.rule
            and blocks.pair_id = block_tallies.pair_id
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

select
    rule,
    pair_id,
    cast(block_second as bigint) as block_second,
    min(code_share) as candidate_share
from ranks
where 2 * errors_up_to >= all_errors
group by rule, pair_id, block_second
