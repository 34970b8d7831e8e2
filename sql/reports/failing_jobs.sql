-- Jobs of which the last $least runs or more have failed.
select job, failed_runs, exit_code from jobs where failed_runs >= $least order by job
