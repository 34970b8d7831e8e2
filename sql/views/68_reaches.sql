-- The least increase that would have been found by now in a typical code, if it had begun with the history.
-- Grain: one row per rule, baseline and candidate; none if no ratio of the grid would have been found.
-- Reads: code_reaches
-- Feeds: people
with
-- Typical: in half of the codes.
found as (
    select rule, baseline, candidate, rate_ratio
    from code_reaches group by rule, baseline, candidate, rate_ratio
    having avg(case when is_found then 1 else 0 end) >= 0.5
)

select rule, baseline, candidate, min(rate_ratio) as rate_ratio
from found group by rule, baseline, candidate
