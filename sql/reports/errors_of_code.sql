-- The errors of a code, $code, that two builds sent in the seconds (epoch) from $from_second to before $until_second;
-- those that were added do not count.
select
    cast(epoch(second) as bigint) as second,
    cast(coalesce(sum(errors) filter (where build = $baseline), 0) as bigint) as baseline_errors,
    cast(coalesce(sum(errors) filter (where build = $candidate), 0) as bigint) as candidate_errors
from counters
where
    code = $code and build in ($baseline, $candidate) and batch_id >= 0
    and second >= make_timestamp(cast($from_second as bigint) * 1000000)
    and second < make_timestamp(cast($until_second as bigint) * 1000000)
group by second
order by second
