-- The pairs of build and code that have most errors.
-- Parameters: $most.
select build, code
from counters
group by build, code
order by sum(errors) desc, build asc, code asc
limit $most
