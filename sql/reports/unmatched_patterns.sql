-- Patterns of comparisons that no build matches, where any build is known.
select distinct builds_like
from comparisons
where
    exists (select 1 from builds)
    and not exists (select 1 from builds where build like builds_like escape '!')
order by all
