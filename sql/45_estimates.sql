-- What the stream itself tells of the candidate's share of the exposure, from the hour before.
-- Grain: one row per rule, pair and block of two minutes, unless the exposure of the comparison is "equal".
-- Reads: bin_grids, tallies, pairs
-- Feeds: shares
with
bin_grids as (select rule, pair_id, bin_second from bin_grids where detector = 'sequential'),

tallies as (select rule, pair_id, code, bin_second, baseline_errors, candidate_errors from tallies),

pairs as (select pair_id, exposure from pairs where exposure <> 'equal'),

blocks as (
    select distinct
        bin_grids.rule, bin_grids.pair_id, pairs.exposure, floor(bin_grids.bin_second / 120) * 120 as block_second
    from bin_grids
    inner join pairs on bin_grids.pair_id = pairs.pair_id
),

-- Codes apart only where that matters.
block_tallies as (
    select
        tallies.rule, tallies.pair_id, floor(tallies.bin_second / 120) * 120 as block_second,
        case when pairs.exposure = 'estimated' then tallies.code end as code,
        cast(sum(tallies.candidate_errors) as double) as k,
        cast(sum(tallies.baseline_errors + tallies.candidate_errors) as double) as n
    from tallies
    inner join pairs on tallies.pair_id = pairs.pair_id
    group by
        tallies.rule, tallies.pair_id, floor(tallies.bin_second / 120) * 120,
        case when pairs.exposure = 'estimated' then tallies.code end
),

-- The hour that is over when a block begins: what a bin is judged by must not change with the bins after it.
hours as (
    select
        blocks.rule, blocks.pair_id, blocks.exposure, blocks.block_second, block_tallies.code,
        sum(block_tallies.k) as k, sum(block_tallies.n) as n
    from blocks
    inner join block_tallies
        on
            blocks.rule = block_tallies.rule and blocks.pair_id = block_tallies.pair_id
            and blocks.block_second > block_tallies.block_second
            and blocks.block_second <= block_tallies.block_second + 3600
    group by blocks.rule, blocks.pair_id, blocks.exposure, blocks.block_second, block_tallies.code
),

ranks as (
    select
        rule, pair_id, exposure, block_second, code, k / nullif(n, 0) as code_share, k, n,
        sum(n) over (partition by rule, pair_id, block_second order by k / nullif(n, 0), code) as n_up_to,
        sum(n) over (partition by rule, pair_id, block_second) as all_n
    from hours
)

-- The median over codes, each by its weight: one broken code does not move it.
select
    rule, pair_id, cast(block_second as bigint) as block_second, sum(k) / nullif(sum(n), 0) as record_share,
    min(case when exposure = 'estimated' and 2 * n_up_to >= all_n then code_share end) as candidate_share
from ranks
group by rule, pair_id, block_second
