-- For each code with errors within the history: the least increase that would have been found by now, and the part of
-- the required evidence that a doubling would have; if rules ignore a doubling, their least ratio instead.
with doubled as (select rule, min(rate_ratio) as rate_ratio from hypotheses where rate_ratio >= 2 group by rule)

select
    r.baseline, r.candidate, r.code, min(case when r.is_found then r.rate_ratio end) as found_ratio,
    bool_or(r.is_found and r.rate_ratio <= doubled.rate_ratio) as is_doubling_found,
    max(case when r.rate_ratio = doubled.rate_ratio then r.nats / nullif(r.threshold, 0) end) as doubling_part
from code_reaches as r
inner join doubled on r.rule = doubled.rule
group by r.baseline, r.candidate, r.code
order by r.baseline, r.candidate, r.code
