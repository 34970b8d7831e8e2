-- What an error counts for in the evidence: less where errors come in bursts, or where that is not known yet.
-- Grain: one row per series and block with errors; the weight is 1 where errors come singly.
-- Reads: spreads
-- Feeds: gains, regressions
with
spreads as (select * from spreads),

-- Over six hours: of all codes, beside a prior of 20 that counts as six blocks; and of the code, in all comparisons,
-- beside that of all codes, which counts as four. As of the beginning of the block, and as of its end.
sums as (
    select
        rule, pair_id, series, block, coalesce(sum(spread) over of_all, 0) as all_spread,
        coalesce(sum(known) over of_all, 0) as all_known, coalesce(sum(spread) over of_code, 0) as spread,
        coalesce(sum(known) over of_code, 0) as known, sum(spread) over of_all_next as next_all_spread,
        sum(known) over of_all_next as next_all_known, sum(spread) over of_code_next as next_spread,
        sum(known) over of_code_next as next_known
    from spreads
    window
        of_all as (partition by rule order by block range between 180 preceding and 1 preceding),
        of_code as (partition by rule, code order by block range between 180 preceding and 1 preceding),
        of_all_next as (partition by rule order by block range between 179 preceding and current row),
        of_code_next as (partition by rule, code order by block range between 179 preceding and current row)
),

dispersions as (
    select
        rule, pair_id, series, block, 4 + known as known,
        (4 * (120 + all_spread) / nullif(6 + all_known, 0) + spread) / nullif(4 + known, 0) as own,
        (4 * (120 + next_all_spread) / nullif(6 + next_all_known, 0) + next_spread)
        / nullif(4 + next_known, 0) as next_own
    from sums
),

-- The median of the codes with errors in the block before: of a bin's own block more errors may yet come.
usual as (
    select
        rule, pair_id, block,
        case when block - lag(block) over by_block <= 30 then lag(median(next_own)) over by_block end as usual
    from dispersions group by rule, pair_id, block
    window by_block as (partition by rule, pair_id order by block)
),

chosen as (
    select
        d.series, d.block, greatest(1, case
            when d.own > greatest(usual.usual, 1) * (1 + sqrt(3 / nullif(d.known, 0))) then d.own
            else coalesce(usual.usual, d.own)
        end) as dispersion
    from dispersions as d
    inner join usual on d.rule = usual.rule and d.pair_id = usual.pair_id and d.block = usual.block
)

-- A code's own where it is surely more than that median. Bursts differ in size, which makes tails heavier than the
-- variance tells: where there are any, up to half an error is added.
select series, block, 1 / nullif(sqrt(pow(dispersion + 0.5, 2) - 1.25), 0) as weight
from chosen
