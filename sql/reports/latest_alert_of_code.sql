-- When the latest alert of $code ended; by $rule, if that is no NULL.
select max(stop_ts) as stop_ts from alerts
where code = $code and state = 'current' and rule = coalesce($rule, rule)
