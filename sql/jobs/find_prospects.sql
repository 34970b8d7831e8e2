-- Series of sequential that may have enough evidence in a bin that ends after $after, by upper bounds of the evidence
-- since $since (epoch seconds). Other series are not computed. Blocks are joined up to eight errors of the candidate.
with
bins as (
    select
        rule, series, block, bin_second, bin_seconds, min_ratio, tested_share, cast(candidate_errors as double) as k,
        cast(baseline_errors as double) as b,
        min_ratio * tested_share / nullif(1 + (min_ratio - 1) * tested_share, 0) as part
    from bins where detector = 'sequential' and is_weighed and bin_second >= $since
),

rules as (select distinct rule, threshold from rules),

-- The gain of a bin is highest at the ratio of its errors.
blocks as (
    select
        bins.rule, bins.series, bins.block, bins.bin_seconds, bins.min_ratio, w.weight, w.usual_errors,
        max(bins.bin_second) as last_second, min(bins.tested_share) as low_share, max(bins.tested_share) as high_share,
        sum(bins.k) as k, sum(bins.k + bins.b) as n, max(bins.k + bins.b) as most,
        sum(
            bins.k * ln(greatest(bins.k, 1) / ((bins.k + bins.b) * bins.part))
            + bins.b * ln(greatest(bins.b, 1) / ((bins.k + bins.b) * (1 - bins.part)))
        ) filter (where bins.k > (bins.k + bins.b) * bins.part) as gain
    from bins inner join weights as w on bins.series = w.series and bins.block = w.block
    group by bins.rule, bins.series, bins.block, bins.bin_seconds, bins.min_ratio, w.weight, w.usual_errors
),

numbered as (
    select *, floor((sum(k) over (partition by series order by block) - k) / 8) as chunk from blocks
),

chunks as (
    select
        rule, series, chunk, bin_seconds, min_ratio, max(last_second) + bin_seconds as end_second,
        sum(weight * k) as k, sum(weight * n) as n, coalesce(sum(weight * gain), 0) as gain, max(weight * most) as most,
        min(weight * usual_errors) as usual, min(low_share) as low_share,
        min(min_ratio * low_share / (1 + (min_ratio - 1) * low_share)) as low_part,
        max(min_ratio * high_share / (1 + (min_ratio - 1) * high_share)) as high_part
    from numbered group by rule, series, chunk, bin_seconds, min_ratio
),

-- The lower the share, the less a baseline's error counts against an increase. A bin's gain is at least -500: with that
-- many errors, those of the baseline are left out. The threshold is lowest at one end of the range of shares.
terms as (
    select
        c.series, c.chunk, c.end_second, h.rate_ratio, least(c.gain, c.k * (ln(h.rate_ratio / c.min_ratio) - ln(
            1 + (h.rate_ratio / c.min_ratio - 1) * c.low_part
        ))) as climb,
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
        series, rate_ratio, chunk, end_second, threshold, total, climb,
        sum(total) over (partition by series, rate_ratio order by chunk) as until
    from terms
),

-- An upper bound of the evidence in this chunk, from a start in an earlier chunk or in itself.
rises as (
    select
        series, end_second, threshold, climb + greatest(until - total - coalesce(min(until - climb) over (
            partition by series, rate_ratio order by chunk rows between unbounded preceding and 1 preceding
        ), until - total), 0) as rise
    from sums
)

-- Evidence is valid for an hour at most.
select distinct series from rises where rise >= threshold - 0.000001 and end_second + 3600 > $after
