-- How many incidents are open, by rule and comparison: of those that are judged now the $most with most of them, and
-- how many of these there are.
with judged as (
    select distinct rule, baseline, candidate from progress where not is_superseded and rule in (select rule from rules)
),

unresolved as (
    select rule, baseline, candidate, count(*) as incidents from incidents where state = 'open' group by all
)

select
    rule, baseline, candidate, coalesce(unresolved.incidents, 0) as incidents, count(*) over () as known
from judged full outer join unresolved using (rule, baseline, candidate)
order by incidents desc, rule asc, baseline asc, candidate asc
limit $most
