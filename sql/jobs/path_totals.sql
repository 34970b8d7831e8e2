-- How many records of what a path holds now count, and how many were rejected. A content begins again with the range at
-- 0. One that begins under another name has no such row here: it counts.
-- Parameters: $path.
select coalesce(sum(records), 1) as records, coalesce(sum(rejected), 0) as rejected
from batches
where
    path = $path and duplicate_of is null
    and batch_id >= (
        select max(begun.batch_id) from batches as begun
        where begun.path = $path and begun.range_start = 0 and begun.range_end > 0 and begun.duplicate_of is null
    )
