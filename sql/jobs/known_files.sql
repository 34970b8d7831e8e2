-- Unchanged files that were read: how far, whether all records were rejected, and the settings. A duplicate counts if
-- its original counts.
-- Parameters: $files, JSON (see jobs/add_batches): a path and its time of change each.
with requested as (
    select unnest(from_json_strict($files, '[{"path": "VARCHAR", "modified_ns": "BIGINT"}]'), recursive := true)
)

select
    batches.path,
    contents.file_bytes,
    batches.range_end,
    originals.records = 0 and originals.rejected > 0 as is_rejected,
    decided.settings
from batches
inner join requested on batches.path = requested.path and batches.modified_ns = requested.modified_ns
left join contents using (batch_id)
inner join batches as originals on coalesce(batches.duplicate_of, batches.batch_id) = originals.batch_id
left join contents as decided on originals.batch_id = decided.batch_id
