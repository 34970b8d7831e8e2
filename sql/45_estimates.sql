-- What the stream itself tells of the candidate's share of the exposure, from the hour before.
-- Grain: one row per rule, pair and block of two minutes, unless the exposure of the comparison is "equal".
-- Reads: judged_bins, tallies, pairs
-- Feeds: shares
with
judged_bins as (select rule, pair_id, bin_second from judged_bins where detector = 'sequential' and is_weighed),

tallies as (select rule, pair_id, code, bin_second, baseline_errors, candidate_errors from tallies),

pairs as (select pair_id, exposure from pairs where exposure <> 'equal'),

bins as (
    select
        judged_bins.rule, judged_bins.pair_id, pairs.exposure, judged_bins.bin_second,
        floor(judged_bins.bin_second / 120) * 120 as block_second
    from judged_bins inner join pairs on judged_bins.pair_id = pairs.pair_id
),

blocks as (select distinct rule, pair_id, exposure, block_second from bins),

-- Codes apart only where that matters; in a gap the other build alone would be heard.
block_tallies as (
    select
        bins.rule, bins.pair_id, bins.block_second, case when bins.exposure = 'estimated' then tallies.code end as code,
        cast(sum(tallies.candidate_errors) as double) as k,
        cast(sum(tallies.baseline_errors + tallies.candidate_errors) as double) as n
    from bins
    inner join tallies
        on bins.rule = tallies.rule and bins.pair_id = tallies.pair_id and bins.bin_second = tallies.bin_second
    group by bins.rule, bins.pair_id, bins.block_second, case when bins.exposure = 'estimated' then tallies.code end
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
        rule, pair_id, exposure, block_second, k, n, k / nullif(n, 0) as code_share,
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
