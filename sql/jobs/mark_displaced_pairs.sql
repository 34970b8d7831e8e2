-- Mark pairs that had no place when they last competed for one within the slice.
update pass_scopes
set is_displaced = found.is_displaced
from (
    select baseline, candidate, coalesce(arg_max(not is_compared, block_second), false) as is_displaced
    from compared_pairs
    left join kept_places using (pair_id)
    group by baseline, candidate
) as found
where pass_scopes.baseline = found.baseline and pass_scopes.candidate = found.candidate
