-- For each path the batch of its last read (for a duplicate, the original), and batches that record a file which could
-- not be read.
-- Parameters: $paths, JSON (see jobs/add_batches).
with found as (
    select *, range_end = 0 and records = 0 and rejected > 0 as is_damaged
    from batches
    where path in (select unnest(from_json_strict($paths, '["VARCHAR"]')))
)

select
    path,
    arg_max(coalesce(duplicate_of, batch_id), batch_id) filter (not is_damaged) as batch_id,
    coalesce(list(batch_id) filter (is_damaged and duplicate_of is null), []) as damaged_ids
from found
group by path
