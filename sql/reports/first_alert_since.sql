-- The first alert of a rule, comparison and code that ends after $at, and whether an incident was open then.
select
    min(end_ts) filter (where end_ts > $at) as end_ts,
    coalesce(bool_or(end_ts <= $at and end_ts >= $at - to_seconds($merge_seconds)), false) as is_open
from alerts
where
    state = 'current' and rule = $rule and baseline = $baseline and candidate = $candidate and code = $code
