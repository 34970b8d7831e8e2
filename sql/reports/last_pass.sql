-- How the last pass ended, or the last one that failed ($is_failed).
select finished_at, state, alerts_new, alerts_revised, alerts_retracted, error
from runs
where state = 'failed' or not $is_failed
order by run_id desc
limit 1
