-- What the stream itself tells of the candidate's share of the exposure, from the hour before.
-- Grain: one row per rule, pair and block of two minutes; the share of all records where exposure is not "estimated".
-- Reads: judged_bins, tallies, pairs
-- Feeds: shares
with
judged_bins as (select rule, pair_id, bin_second from judged_bins where detector = 'sequential' and is_weighed),

tallies as (select rule, pair_id, code, bin_second, baseline_errors, candidate_errors from tallies),

pairs as (select pair_id, exposure from pairs where exposure <> 'equal'),

bins as (
    select a.rule, a.pair_id, pairs.exposure, a.bin_second, floor(a.bin_second / 120) * 120 as block_second
    from judged_bins as a inner join pairs on a.pair_id = pairs.pair_id
),

blocks as (select distinct rule, pair_id, block_second from bins),

-- Codes apart only where that matters; in a gap the other build alone would be heard.
block_tallies as (
    select
        bins.rule, bins.pair_id, bins.block_second, case when bins.exposure = 'estimated' then b.code end as code,
        cast(sum(b.candidate_errors) as double) as k, cast(sum(b.baseline_errors + b.candidate_errors) as double) as n
    from bins
    inner join tallies as b on bins.rule = b.rule and bins.pair_id = b.pair_id and bins.bin_second = b.bin_second
    group by bins.rule, bins.pair_id, bins.block_second, case when bins.exposure = 'estimated' then b.code end
),

-- The hour that is over when a block begins: what a bin is judged by must not change with the bins after it.
hours as (
    select a.rule, a.pair_id, a.block_second, b.code, sum(b.k) as k, sum(b.n) as n
    from blocks as a inner join block_tallies as b
        on a.rule = b.rule and a.pair_id = b.pair_id and a.block_second - b.block_second between 120 and 3600
    group by a.rule, a.pair_id, a.block_second, b.code
),

-- A vote for each 20 errors of the rarer build that codes, one after the other, were to have, the largest aside.
votes as (
    select
        rule, pair_id, block_second, k, n, floor(
            sum(n) over (partition by rule, pair_id, block_second order by code)
            * least(sum(k) over hour - max(k) over hour, sum(n - k) over hour - max(n - k) over hour)
            / nullif(20 * (sum(n) over hour - max(n) over hour), 0)
        ) as vote
    from hours window hour as (partition by rule, pair_id, block_second)
),

ranks as (
    select
        rule, pair_id, block_second, sum(k) as k, sum(n) as n, count(*) over hour as votes,
        row_number() over (partition by rule, pair_id, block_second order by sum(k) / nullif(sum(n), 0), vote) as place
    from votes group by rule, pair_id, block_second, vote window hour as (partition by rule, pair_id, block_second)
)

-- The half of the votes in the middle: no code alone moves it. What is tested is three standard errors above (Wilson).
select
    rule, pair_id, cast(block_second as bigint) as block_second, sum(k) / nullif(sum(n), 0) as candidate_share,
    (sum(k) + 4.5 + 3 * sqrt(sum(k) * sum(n - k) / nullif(sum(n), 0) + 2.25)) / nullif(sum(n) + 9, 0) as tested_share
from ranks where 4 * place - 2 between votes and 3 * votes
group by rule, pair_id, block_second
