-- How much an error counts in the evidence: less if errors come in bursts; and the usual number of errors in a bin.
-- Grain: one row per series and block with errors; weight: 1 if errors come singly; usual_errors: NULL at first.
-- Reads: spreads
-- Feeds: code_reaches, gains, increase_errors
with
-- Means over six hours, before the block and including it: of all codes, with a prior of 15 that counts as six blocks;
-- and of the code in all comparisons, with that of all codes as a prior that counts as four blocks.
pools as (
    select
        rule, block,
        (90 + coalesce(sum(sum(spread)) over before, 0))
        / nullif(6 + coalesce(sum(sum(known)) over before, 0), 0) as pool,
        (90 + sum(sum(spread)) over next) / nullif(6 + sum(sum(known)) over next, 0) as next_pool
    from spreads group by rule, block
    window
        before as (partition by rule order by block range between 180 preceding and 1 preceding),
        next as (partition by rule order by block range between 179 preceding and current row)
),

dispersions as (
    select
        s.rule, s.pair_id, s.series, s.block, 4 + coalesce(sum(s.known) over before, 0) as known,
        avg(s.errors) over of_hour * s.bin_seconds / nullif(greatest(s.bin_seconds, 120), 0) as usual_errors,
        (4 * p.pool + coalesce(sum(s.spread) over before, 0))
        / nullif(4 + coalesce(sum(s.known) over before, 0), 0) as own,
        (4 * p.next_pool + sum(s.spread) over next) / nullif(4 + sum(s.known) over next, 0) as next_own
    from spreads as s inner join pools as p on s.rule = p.rule and s.block = p.block
    window
        of_hour as (partition by s.series order by s.block range between 30 preceding and 1 preceding),
        before as (partition by s.rule, s.code order by s.block range between 180 preceding and 1 preceding),
        next as (partition by s.rule, s.code order by s.block range between 179 preceding and current row)
),

-- The median of the codes in the block before, because a bin's own block may not be complete.
usual as (
    select
        rule, pair_id, block,
        case when block - lag(block) over by_block <= 30 then lag(median(next_own)) over by_block end as usual
    from dispersions group by rule, pair_id, block
    window by_block as (partition by rule, pair_id order by block)
)

-- A code uses its own dispersion if that is clearly above the median. Bursts differ in size, so tails are heavier than
-- the variance shows: with bursts, up to 0.5 is added.
select
    d.series, d.block, d.usual_errors, 1 / nullif(sqrt(pow(0.5 + greatest(1, case
        when d.own > greatest(usual.usual, 1) * (1 + sqrt(10 / nullif(d.known, 0))) then d.own
        else coalesce(usual.usual, d.own)
    end), 2) - 1.25), 0) as weight
from dispersions as d
inner join usual on d.rule = usual.rule and d.pair_id = usual.pair_id and d.block = usual.block
