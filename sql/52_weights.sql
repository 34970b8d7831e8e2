-- What an error counts for in the evidence: less where errors come in bursts, nothing before that can be told.
-- Grain: one row per series and block of two minutes; dispersion is NULL and weight 0 where it cannot be told.
-- Reads: bins
-- Feeds: evidence, regressions
with
bins as (
    select
        series, rule, baseline, candidate, floor(bin_second / 120) * 120 as block_second, candidate_share,
        case when is_weighed then baseline_errors + candidate_errors else 0 end as errors,
        case when is_weighed then candidate_errors else 0 end as candidate_errors
    from bins
    where detector = 'sequential'
),

-- Errors of both builds, of the candidate, and those that it was to have at equal rates.
blocks as (
    select
        series, rule, baseline, candidate, block_second,
        cast(sum(errors) as double) as n, cast(sum(candidate_errors) as double) as k, sum(errors * candidate_share) as e
    from bins
    group by series, rule, baseline, candidate, block_second
),

sums as (
    select
        series, rule, baseline, candidate, block_second, sum(case when n > 0 then 1 else 0 end) over recent as blocks,
        sum(k) over recent as k, nullif(sum(e) over recent, 0) as e, sum(k * k) over recent as kk,
        sum(k * e) over recent as ke, sum(e * e) over recent as ee, sum(e * e / nullif(n, 0)) over recent as een
    from blocks
    window recent as (partition by series order by block_second rows between 182 preceding and 3 preceding)
),

-- Variance over that of chance, about the code's own share of k / e times the exposure's: an increase is no burst.
own as (
    select
        series, rule, baseline, candidate, block_second,
        case
            when blocks >= 8 and k > 0 and 1 - k * een / nullif(e * e, 0) > 0.000001
                then
                    (kk - 2 * k * ke / nullif(e, 0) + k * k * ee / nullif(e * e, 0))
                    / nullif(k * (1 - k * een / nullif(e * e, 0)), 0)
        end as dispersion
    from sums
),

pooled as (
    select
        series, block_second, median(dispersion) over by_block as pooled_dispersion,
        -- Rounded: the last bits of a sum depend on where a slice begins.
        round(greatest(1, dispersion, median(dispersion) over by_block), 6) as dispersion
    from own
    window by_block as (partition by rule, baseline, candidate, block_second)
)

select
    series, cast(block_second as bigint) as block_second,
    case when pooled_dispersion is not null then dispersion end as dispersion,
    case when pooled_dispersion is null then 0 else 1 / nullif(dispersion, 0) end as weight
from pooled
