-- Contents perhaps not read to their end; files whose records were all ahead of the clock.
select
    coalesce(ahead.files, 0) as ahead_files, ahead.path as ahead_path, ahead.batch_id as ahead_batch_id,
    (select count(*) from replaced where found_as is null and replaced_at >= $since) as replaced_files,
    (
        select arg_max(path || ' ' || state, replaced_at) from replaced
        where found_as is null and replaced_at >= $since
    ) as replaced_path
from (
    select count(distinct path) as files, max(batch_id) as batch_id, arg_max(path, batch_id) as path
    from batches
    where
        loaded_at >= $since and min_ts > loaded_at + to_seconds($least_ahead)
        and max_ts <= loaded_at + to_seconds($most_ahead)
) as ahead
