-- Alerts to retract: of pairs that are no longer compared because the order of builds changed; or based on records that
-- were unloaded, which may be before the pair's present beginning, or after all remaining records.
create or replace temp table unfounded as
select
    alerts.rule, alerts.baseline, alerts.candidate, cast(epoch(min(alerts.end_ts)) as bigint) - 1 as after_second,
    cast(epoch(max(alerts.end_ts)) as bigint) as until_second
from alerts
inner join pass_scopes using (rule, baseline, candidate)
left join progress using (rule, baseline, candidate)
where
    alerts.state = 'current' and epoch(alerts.end_ts) > $after
    and (
        pass_scopes.complete_until is null
        or alerts.run_id <= (select max(run_id) from unloaded)
        and epoch(alerts.end_ts) > least(pass_scopes.judged_after, epoch(progress.judged_until))
    )
group by alerts.rule, alerts.baseline, alerts.candidate
