-- Batches by which a file was met under another name since it lay at a path last, with what it held or with more: what
-- was added before it was renamed was there to be read.
-- Parameters: $path; $inode of what lies there now; $batch_id of what was read there last, and how far it was read
-- ($read_bytes).
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
