-- Of the pairs that had not ended by $from_second those that have a place in the slice, or compete for none.
create or replace temp table placed_pairs as
select
    pair_id, baseline, candidate, family, lag_seconds, min_ratio, exposure, exposure_tolerance, is_estimated, is_named,
    opened_second, begun_second, baseline_last_second, candidate_last_second, told_second, from_second, is_current,
    until_second, complete_until_second, judged_until_second
from compared_pairs
where
    until_second > $from_second
    and pair_id not in (select pair_id from kept_places group by pair_id having not bool_or(is_compared))
