-- Open incidents by rule and comparison: the $most judged comparisons with most of them, and how many there are.
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
