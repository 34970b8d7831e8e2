-- What an error counts for in the evidence: less where errors come in bursts, nothing before that can be told.
-- Grain: one row per series and block of two minutes; the weight is 1 where errors come singly, 0 where none is known.
-- Reads: bins
-- Feeds: evidence, regressions
with
bins as (
    select
        series, rule, baseline, candidate, floor(bin_second / 120) * 120 as block_second, candidate_share,
        case when is_weighed then cast(candidate_errors as double) else 0 end as k,
        case when is_weighed then cast(baseline_errors + candidate_errors as double) else 0 end as n
    from bins where detector = 'sequential'
),

-- Errors of the candidate, of both builds, and those that the candidate was to have at equal rates.
blocks as (
    select
        series, rule, baseline, candidate, block_second, case when sum(n) > 0 then sum(k) end as k,
        nullif(sum(n), 0) as n, nullif(sum(n * candidate_share), 0) as e
    from bins group by series, rule, baseline, candidate, block_second
),

-- Each beside the one before it that has errors: what changes once, as a regression does, is no burst.
pairs as (
    select
        series, rule, baseline, candidate, block_second, k, n, e, last_value(k ignore nulls) over hour_before as k0,
        last_value(n ignore nulls) over hour_before as n0, last_value(e ignore nulls) over hour_before as e0
    from blocks
    window hour_before as (partition by series order by block_second rows between 30 preceding and 1 preceding)
),

sums as (
    select
        series, rule, baseline, candidate, block_second, count(e0 * e) over recent as pairs,
        sum(k) over recent / nullif(sum(e) over recent, 0) as r, sum(e * e0) over recent as scale,
        sum((k * e0 - k0 * e) * (k * e0 - k0 * e) / nullif(e + e0, 0)) over recent as spread,
        sum(e * e * e0 * e0 / nullif(e + e0, 0) * (1 / nullif(n, 0) + 1 / nullif(n0, 0))) over recent as excess
    from pairs window recent as (partition by series order by block_second rows between 182 preceding and 3 preceding)
),

-- Variance of the share from block to block, over that of chance. Rounded: last bits depend on where a slice begins.
own as (
    select
        series, rule, baseline, candidate, block_second, 1 + 3 * sqrt(3.0 / nullif(pairs, 0)) as margin,
        case
            when pairs >= 7 and r * excess < 0.999999 * scale
                then round(spread / nullif(r * (scale - r * excess), 0), 6)
        end as dispersion
    from sums
)

-- A code's own where it is surely more than the median of all codes. Bursts differ in size, which makes tails heavier
-- than the variance tells: where there are any, up to half an error is added.
select
    series, cast(block_second as bigint) as block_second,
    coalesce(1 / nullif(sqrt(pow(0.5 + case
        when median(dispersion) over by_block is null then null
        when dispersion > margin * greatest(1, median(dispersion) over by_block) then dispersion
        else greatest(1, median(dispersion) over by_block)
    end, 2) - 1.25), 0), 0) as weight
from own window by_block as (partition by rule, baseline, candidate, block_second)
