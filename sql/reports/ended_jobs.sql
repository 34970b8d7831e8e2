-- How the last run of each job ended.
select job, ended_at, exit_code, failed_runs from jobs where ended_at is not null order by ended_at desc
