-- The $most most frequent pairs of build and code with all their errors, also those whose counters retention removed,
-- and how many pairs there are.
select build, code, errors, count(*) over () as known
from codes
order by errors desc, build asc, code asc
limit $most
