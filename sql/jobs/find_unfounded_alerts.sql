-- Alerts to be retracted: of a pair that should not have been compared, as builds are ordered otherwise by now; or of
-- records that were unloaded since, which may lie before the pair begins now, or behind all that is left.
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
