-- What the stream itself tells of the candidate's share of the exposure, from the hour before.
-- Grain: one row per rule, pair and block of two minutes; sent_share is of all records, which one code may decide.
-- Reads: judged_bins, tallies, pairs
-- Feeds: shares
with
judged_bins as (select rule, pair_id, bin_second from judged_bins where detector = 'sequential' and is_weighed),

tallies as (select rule, pair_id, code, bin_second, baseline_errors, candidate_errors from tallies),

pairs as (
    select pair_id, is_estimated, case when exposure = 'estimated' then 1 else 3 end as least_codes
    from pairs where exposure <> 'equal'
),

bins as (
    select
        a.rule, a.pair_id, pairs.is_estimated, a.bin_second,
        cast(floor(a.bin_second / 120) * 120 as bigint) as block_second
    from judged_bins as a inner join pairs on a.pair_id = pairs.pair_id
),

-- Codes apart only where that matters; in a gap the other build alone would be heard.
block_tallies as (
    select
        bins.rule, bins.pair_id, bins.block_second, case when bins.is_estimated then b.code end as code,
        cast(sum(b.candidate_errors) as double) as k, cast(sum(b.baseline_errors + b.candidate_errors) as double) as n
    from bins
    inner join tallies as b on bins.rule = b.rule and bins.pair_id = b.pair_id and bins.bin_second = b.bin_second
    group by bins.rule, bins.pair_id, bins.block_second, case when bins.is_estimated then b.code end
),

-- Each tells of the blocks of the hour after it: what a bin is judged by must not change with the bins after it.
later as (
    select
        rule, pair_id, code, k, n, unnest(generate_series(block_second + 120, block_second + 3600, 120)) as block_second
    from block_tallies
),

hours as (
    select a.rule, a.pair_id, a.block_second, later.code, sum(later.k) as k, sum(later.n) as n
    from (select distinct rule, pair_id, block_second from bins) as a
    inner join later on a.rule = later.rule and a.pair_id = later.pair_id and a.block_second = later.block_second
    group by a.rule, a.pair_id, a.block_second, later.code
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
        sum(count(*)) over hour as codes, sum(sum(k)) over hour / nullif(sum(sum(n)) over hour, 0) as sent_share,
        row_number() over (partition by rule, pair_id, block_second order by sum(k) / nullif(sum(n), 0), vote) as place
    from votes group by rule, pair_id, block_second, vote window hour as (partition by rule, pair_id, block_second)
)

-- The half of the votes in the middle: no code alone moves it. What is tested is a standard error above that (Wilson).
-- Of one or two codes nobody can tell traffic from a regression: where it is not asked for, equal exposure is assumed.
select
    r.rule, r.pair_id, cast(r.block_second as bigint) as block_second, max(r.sent_share) as sent_share,
    case when max(r.codes) >= pairs.least_codes then sum(r.k) / nullif(sum(r.n), 0) end as candidate_share,
    case when max(r.codes) < pairs.least_codes then 0.5 else (
        sum(r.k) + 0.5 + sqrt(sum(r.k) * sum(r.n - r.k) / nullif(sum(r.n), 0) + 0.25)
    ) / nullif(sum(r.n) + 1, 0) end as tested_share
from ranks as r inner join pairs on r.pair_id = pairs.pair_id
where 4 * r.place - 2 between r.votes and 3 * r.votes
group by r.rule, r.pair_id, r.block_second, pairs.least_codes
