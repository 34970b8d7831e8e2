-- Series of sequential whose evidence since an epoch second may be enough, by sums that are never too low: nothing else
-- is computed of a code with few errors. Blocks are put together up to eight errors of the candidate.
with
bins as (select * from bins where detector = 'sequential' and is_weighed and bin_second >= $since),

rules as (select distinct rule, threshold from rules),

blocks as (
    select
        bins.rule, bins.series, bins.block, bins.bin_seconds, bins.min_ratio, w.weight, w.usual_errors,
        min(bins.tested_share) as low_share, max(bins.tested_share) as high_share,
        sum(bins.candidate_errors) as k, sum(bins.baseline_errors + bins.candidate_errors) as n
    from bins inner join weights as w on bins.series = w.series and bins.block = w.block
    group by bins.rule, bins.series, bins.block, bins.bin_seconds, bins.min_ratio, w.weight, w.usual_errors
),

numbered as (
    select *, floor((sum(k) over (partition by series order by block) - k) / 8) as chunk from blocks
),

chunks as (
    select
        rule, series, chunk, bin_seconds, min_ratio, sum(weight * k) as k, sum(weight * n) as n,
        max(weight * n) as most, min(weight * usual_errors) as usual, min(low_share) as low_share,
        min(min_ratio * low_share / (1 + (min_ratio - 1) * low_share)) as low_part,
        max(min_ratio * high_share / (1 + (min_ratio - 1) * high_share)) as high_part
    from numbered group by rule, series, chunk, bin_seconds, min_ratio
),

-- The lower the share, the less an error of the baseline says against an increase. A bin counts for no less than -500:
-- with so many errors those of the baseline are left out. The threshold is least at one end of the shares.
terms as (
    select
        c.series, c.chunk, h.rate_ratio, c.k * (ln(h.rate_ratio / c.min_ratio) - ln(
            1 + (h.rate_ratio / c.min_ratio - 1) * c.low_part
        )) as climb,
        c.k * ln(h.rate_ratio / c.min_ratio) - case when c.most * ln(h.rate_ratio) > 500 then c.k else c.n end
        * ln(1 + (h.rate_ratio / c.min_ratio - 1) * c.low_part) as total,
        ln(greatest(86400.0 / c.bin_seconds, pow(10, rules.threshold) * least(1, 3 * c.usual * least(
            ln(1 + (h.rate_ratio / c.min_ratio - 1) * c.low_part) - c.low_part * ln(h.rate_ratio / c.min_ratio),
            ln(1 + (h.rate_ratio / c.min_ratio - 1) * c.high_part) - c.high_part * ln(h.rate_ratio / c.min_ratio)
        )))) as threshold
    from chunks as c
    inner join hypotheses as h on c.rule = h.rule and c.min_ratio < h.rate_ratio
    inner join rules on c.rule = rules.rule
),

sums as (
    select
        series, rate_ratio, chunk, threshold, total, climb,
        sum(total) over (partition by series, rate_ratio order by chunk) as until
    from terms
),

-- A rise up to within this chunk, from within an earlier one or from within itself.
rises as (
    select
        series, threshold, climb + greatest(until - total - coalesce(min(until - climb) over (
            partition by series, rate_ratio order by chunk rows between unbounded preceding and 1 preceding
        ), until - total), 0) as rise
    from sums
)

select distinct series from rises where rise >= threshold - 0.000001
