-- The errors of both sides of one incident in steps of time, for people to copy: literals take the place of the
-- parameters.
select
    make_timestamp(second // $step_seconds * $step_seconds * 1000000) as step_ts,
    coalesce(sum(errors) filter (where build = $baseline), 0) as baseline_errors,
    coalesce(sum(errors) filter (where build = $candidate), 0) as candidate_errors
from side_counters
where
    code = $code and build in ($baseline, $candidate) and second >= $first_second
    and second < $until_second
group by step_ts
order by step_ts
