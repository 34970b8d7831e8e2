-- The latest known record of each of some files, as a list: of what was read in $batch_ids so far, else of the batch in
-- $known_ids (0: none) that the file continues.
with files as (
    select unnest($batch_ids) as batch_id, unnest($known_ids) as known_id
),

latest as (
    select batch_id, max(ts) as ts from events where batch_id between $batch_ids[1] and $batch_ids[-1] group by batch_id
)

select list(coalesce(latest.ts, batches.max_ts) order by files.batch_id)
from files
left join latest on files.batch_id = latest.batch_id
left join batches on files.known_id = batches.batch_id
