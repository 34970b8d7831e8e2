-- Accepted and rejected records of a path's present content, which begins with the latest range at 0. Content that was
-- first read under another path has no such row here, and is treated as accepted.
-- Parameters: $path.
select coalesce(sum(records), 1) as records, coalesce(sum(rejected), 0) as rejected
from batches
where
    path = $path and duplicate_of is null
    and batch_id >= (
        select max(begun.batch_id) from batches as begun
        where begun.path = $path and begun.range_start = 0 and begun.range_end > 0 and begun.duplicate_of is null
    )
