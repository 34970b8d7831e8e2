-- A run of a job ended. Codes 3 (incidents are open) and 75 (the store is busy) are no failures.
update jobs set
    ended_at = $now,
    exit_code = $code,
    failed_runs = case when $code in (0, 3, 75) then 0 else failed_runs + 1 end
where job = $job
