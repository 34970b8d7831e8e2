-- The last bin of the latest alert of $code, by $rule unless that is NULL.
select max(stop_ts) as stop_ts from alerts
where code = $code and state = 'current' and rule = coalesce($rule, rule)
