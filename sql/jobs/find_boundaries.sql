-- Ends of batches in contents with the same first lines, at some paths, or of some sizes: see `Boundary`. The longest
-- ranges first. Batches without a row in `contents` are from schema version 2, or no files.
-- Parameters: lists $heads, $batch_ids, $sizes and $paths as JSON (see jobs/add_batches); $most of the same head.
with wanted as (
    select batch_id from contents where head in (select unnest(from_json_strict($heads, '["VARCHAR"]')))
    union
    select unnest(from_json_strict($batch_ids, '["BIGINT"]'))
    union
    select batches.batch_id
    from batches
    anti join contents using (batch_id)
    where
        batches.range_end in (select unnest(from_json_strict($sizes, '["BIGINT"]')))
        or batches.path in (select unnest(from_json_strict($paths, '["VARCHAR"]')))
)

select
    batches.batch_id,
    batches.path,
    batches.range_start,
    batches.range_end,
    batches.fingerprint,
    contents.prefix,
    contents.lines,
    contents.inode,
    contents.head,
    batches.records = 0 and batches.rejected > 0 as is_rejected,
    batches.records = 0 and batches.rejected = 0 as is_header,
    contents.settings,
    contents.header_line
from wanted
inner join batches using (batch_id)
left join contents using (batch_id)
where batches.duplicate_of is null and batches.range_end > 0
qualify
    contents.head is null
    or row_number() over (partition by contents.head order by batches.range_end desc) <= $most
order by batches.range_end desc, batches.batch_id asc
