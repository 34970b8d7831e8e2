-- Alerts that contradict themselves, each other or the passes.
select format('alert {} is there {} times', alert_id, count(*)) as what
from alerts
group by alert_id having count(*) > 1
union all
select format('alert {}: its state is {}', alert_id, state) as what
from alerts
where state not in ('current', 'retracted')
union all
select format('alert {}: it does not end a bin after its last bin begins', alert_id) as what
from alerts
where end_ts <> stop_ts + to_seconds(bin_seconds)
union all
select format('alert {}: there is no run {} that it was found by', alert_id, run_id) as what
from alerts
where run_id not in (select runs.run_id from runs)
union all
select
    format(
        'alerts {} are one: rule {}, {} to {}, code {}, until {}',
        cast(list(alert_id) as varchar), rule, baseline, candidate, code, cast(stop_ts as varchar)
    ) as what
from alerts
where state = 'current'
group by rule, baseline, candidate, code, stop_ts, slot_of(detector, window_bins)
having count(*) > 1
