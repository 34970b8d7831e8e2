-- Batches in which a file was found under another name after it was last read at a path: what was added to it before
-- the renaming was read.
-- Parameters: $path; $inode of the file there now; $batch_id and $read_bytes of the last read at that path.
with here as (
    select max(batches.batch_id) as batch_id, arg_max(contents.inode, batches.batch_id) as inode
    from batches
    inner join contents using (batch_id)
    where batches.path = $path and $batch_id in (batches.batch_id, batches.duplicate_of)
)

select batches.batch_id
from batches
inner join contents using (batch_id)
inner join here on batches.batch_id > here.batch_id and contents.inode = here.inode
where
    batches.path <> $path and here.inode <> $inode
    and (batches.duplicate_of = $batch_id or batches.duplicate_of is null and batches.range_start = $read_bytes)
