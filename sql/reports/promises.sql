-- The promised rate of a rule, summed over the codes of all pairs that are compared now: a code counts once per pair.
with compared as (
    select distinct pairs.baseline, pairs.candidate, codes.code
    from pairs
    inner join sides on sides.side in (pairs.baseline, pairs.candidate)
    inner join codes on sides.build = codes.build
    where pairs.is_current
),

counted as (
    select sum(codes)::bigint as codes, count(*) as comparisons
    from (select count(*) as codes from compared group by baseline, candidate) as by_comparison
)

select
    rules.rule, round(pow(10, any_value(rules.threshold)) * any_value(rules.bin_seconds) / 86400, 6) as days_per_code,
    counted.codes, counted.comparisons
from rules cross join counted
where rules.detector = 'sequential' and counted.codes > 0
group by rules.rule, counted.codes, counted.comparisons
order by rules.rule
