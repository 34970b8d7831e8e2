-- Records as `typed` has them, kept until they are divided: all, or the rejects alone where $is_counted.
-- What a statement of DuckDB 1.5 inserts after one that inserted no rows into the same table is lost.
select line, ts, build, code, client, problem, case when problem is not null then content end as content
from typed
where problem is not null or not $is_counted
