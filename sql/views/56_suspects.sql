-- Series that may have enough evidence in a judged bin, by sums over blocks. Others need no detailed computation.
-- Grain: one row per series, with the first and the last such bin.
-- Reads: gains, judged_bins, bins
-- Feeds: evidence, ends, regressions
with
bins as (select distinct series, rule, pair_id from bins where detector = 'sequential'),

scopes as (
    select b.series, min(j.bin_second) as first_second, max(j.bin_second) as last_second
    from judged_bins as j inner join bins as b on j.rule = b.rule and j.pair_id = b.pair_id
    where j.is_judged group by b.series
),

sums as (
    select
        series, rate_ratio, block, min(bin_second) as bin_second, min(threshold) as threshold,
        sum(greatest(gain, 0)) as climb, sum(sum(gain)) over by_block - sum(gain) as before,
        sum(sum(gain)) over by_block - sum(greatest(gain, 0)) as least_total,
        lead(min(bin_second), 1, 253402300799) over by_block as next_second
    from gains group by series, rate_ratio, block
    window by_block as (partition by series, rate_ratio order by block)
),

-- An upper bound of the evidence in this block, from a start in an earlier block or in itself: gains without losses.
rises as (
    select
        series, bin_second, next_second, threshold, climb + greatest(before - coalesce(min(least_total)
            over (partition by series, rate_ratio order by block rows between unbounded preceding and 1 preceding),
        before), 0) as rise
    from sums
)

-- The evidence of a block remains until the next error.
select
    r.series, min(greatest(r.bin_second, s.first_second)) as first_second,
    max(least(r.next_second - 1, s.last_second)) as last_second
from rises as r inner join scopes as s on r.series = s.series
where
    r.next_second > s.first_second and r.bin_second <= s.last_second and r.rise >= r.threshold - 0.000001
group by r.series
