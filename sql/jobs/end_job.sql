-- A run of a job ended; $is_failed: its exit code is that of a failure.
update jobs set
    ended_at = $now,
    exit_code = $code,
    failed_runs = case when $is_failed then failed_runs + 1 else 0 end
where job = $job
