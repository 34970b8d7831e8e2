-- Up to where a source was read, batch by batch, the latest first. `is_known`: the rows that were remembered of the
-- batch still are.
-- Parameters: $source, $has_all (false: the latest batch, and those whose rows are remembered).
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
