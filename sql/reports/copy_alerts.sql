-- The alerts of one incident, for people to copy: literals take the place of the parameters.
select stop_ts, end_ts, value, threshold, baseline_errors, candidate_errors, ratio
from alerts
where
    state = 'current' and rule = $rule and baseline = $baseline and candidate = $candidate and code = $code
    and end_ts > $start_ts and end_ts <= $end_ts
order by stop_ts
