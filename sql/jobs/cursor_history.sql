-- In the order of batches; `is_known`: the rows that were remembered of it still are.
select batch_id, kind, mark, floor, batch_id in (select batch_id from cursor_rows) as is_known
from cursor_marks where source = $source order by batch_id desc
