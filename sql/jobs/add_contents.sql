-- What the ledger knows of the contents of files, by which it recognizes them (see jobs/add_batches).
-- Parameters, lists of the same length: one for each column.
insert into contents by name
select
    unnest($batch_id) as batch_id,
    unnest($file_bytes) as file_bytes,
    unnest($inode) as inode,
    unnest($head) as head,
    unnest($prefix) as prefix,
    unnest($lines) as lines,
    unnest($settings) as settings,
    unnest($header_line) as header_line
