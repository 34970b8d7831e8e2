-- The comparisons of current builds, in order of time.
select baseline, candidate, from_second, until_second
from pairs
where lag_seconds = 0
order by from_second, baseline, candidate
