-- Up to which value of its cursor each database was read.
select source, cursor, arg_max(mark, batch_id) as mark
from cursor_marks
group by source, cursor
order by source
