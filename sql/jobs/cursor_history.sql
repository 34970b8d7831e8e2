-- How far a source was read, by batch, the latest first. `is_known`: the stored rows of the batch still exist.
-- Parameters: $source, $has_all (false: only the latest batch, and those with stored rows).
with history as (
    select
        batch_id, cursor, kind, mark, floor,
        batch_id in (select batch_id from cursor_rows) as is_known,
        max(batch_id) over () as last_id
    from cursor_marks
    where source = $source
)

select batch_id, cursor, kind, mark, floor, is_known
from history
where $has_all or is_known or batch_id = last_id
order by batch_id desc
