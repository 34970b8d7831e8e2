-- The candidate's share of the exposure as estimated from the errors of all codes in the hour before.
-- Grain: one row per rule, pair and block of two minutes; sent_share: its share of records, which one code may decide.
-- Reads: judged_bins, tallies, pairs, side_codes
-- Feeds: shares
with
pairs as (select * from pairs where exposure <> 'equal'),

-- Bins in a gap are excluded: only the other build would be counted.
bins as (
    select b.rule, b.pair_id, p.baseline, b.bin_second, cast(floor(b.bin_second / 120) * 120 as bigint) as block_second
    from judged_bins as b inner join pairs as p on b.pair_id = p.pair_id
    where b.detector = 'sequential' and b.is_weighed
),

-- A code that is new in the candidate has no part in the estimate. Codes of one group count together.
block_tallies as (
    select
        b.rule, b.pair_id, b.block_second, s.code_group, cast(sum(t.candidate_errors) as double) as k,
        cast(sum(t.baseline_errors + t.candidate_errors) as double) as n,
        min(t.code) as first_code, max(t.code) as last_code
    from bins as b
    inner join tallies as t on b.rule = t.rule and b.pair_id = t.pair_id and b.bin_second = t.bin_second
    inner join side_codes as s on b.baseline = s.side and t.code = s.code and t.bin_second > s.first_second
    group by b.rule, b.pair_id, b.block_second, s.code_group
),

blocks as (select distinct rule, pair_id, block_second from bins),

groups as (select distinct rule, pair_id, code_group from block_tallies),

cells as (
    select
        blocks.rule, blocks.pair_id, blocks.block_second, groups.code_group, b.k, b.n, b.first_code, b.last_code
    from blocks inner join groups using (rule, pair_id)
    left join block_tallies as b using (rule, pair_id, block_second, code_group)
),

-- Only earlier blocks: later records must not change the estimate of a bin.
hours as (
    select
        rule, pair_id, block_second, code_group, sum(k) over hour as k, sum(n) over hour as n,
        case when min(first_code) over hour < max(last_code) over hour then 2 else 1 end as codes
    from cells window hour as (
        partition by rule, pair_id, code_group order by block_second range between 3600 preceding and 120 preceding
    )
),

-- One vote per 20 expected errors of the rarer build, groups in order. Its share is taken without the largest group.
votes as (
    select
        rule, pair_id, block_second, k, n, codes, floor(
            sum(n) over (partition by rule, pair_id, block_second order by code_group)
            * least(sum(k) over hour - max(k) over hour, sum(n - k) over hour - max(n - k) over hour)
            / nullif(20 * (sum(n) over hour - max(n) over hour), 0)
        ) as vote
    from hours where n > 0 window hour as (partition by rule, pair_id, block_second)
),

ranks as (
    select
        rule, pair_id, block_second, sum(k) as k, sum(n) as n, count(*) over hour as votes,
        sum(sum(codes)) over hour as codes, sum(sum(k)) over hour / nullif(sum(sum(n)) over hour, 0) as sent_share,
        row_number() over (partition by rule, pair_id, block_second order by sum(k) / nullif(sum(n), 0), vote) as place
    from votes group by rule, pair_id, block_second, vote window hour as (partition by rule, pair_id, block_second)
)

-- The middle half of the votes: no single code moves the estimate. The tested share is one standard error higher
-- (Wilson). One or two codes cannot distinguish traffic from a regression: then equal exposure is assumed, unless
-- exposure = "estimated" is set.
select
    r.rule, r.pair_id, r.block_second, max(r.sent_share) as sent_share,
    case when max(r.codes) >= 3 or p.exposure = 'estimated' then sum(r.k) / nullif(sum(r.n), 0) end as candidate_share,
    case when max(r.codes) >= 3 or p.exposure = 'estimated' then (
        sum(r.k) + 0.5 + sqrt(sum(r.k) * sum(r.n - r.k) / nullif(sum(r.n), 0) + 0.25)
    ) / nullif(sum(r.n) + 1, 0) else 0.5 end as tested_share
from ranks as r inner join pairs as p on r.pair_id = p.pair_id
where 4 * r.place - 2 between r.votes and 3 * r.votes
group by r.rule, r.pair_id, r.block_second, p.exposure
