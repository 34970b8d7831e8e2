-- The series with current alerts that end from $since on and begin before $until.
select rule, baseline, candidate, code
from main.alerts
where state = 'current' and end_ts >= $since and start_ts < $until
