-- Alerts of open incidents: they end so near to settled_until that another alert could join them.
with settled as (
    select rule, baseline, candidate, min(settled_until) as settled_until
    from progress
    where not is_superseded
    group by rule, baseline, candidate
)

select alerts.rule, alerts.baseline, alerts.candidate, alerts.code
from main.alerts as alerts
inner join settled using (rule, baseline, candidate)
cross join settings
where alerts.state = 'current' and epoch(alerts.end_ts) + settings.merge_seconds > epoch(settled.settled_until)
