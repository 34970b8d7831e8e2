-- Take back the alerts that are found no more.
update alerts set state = 'retracted', revision = revision + 1, run_id = $run, updated_at = $now
where alert_id in (select alert_id from retracted)
