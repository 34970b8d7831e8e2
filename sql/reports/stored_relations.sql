-- The tables and views of the store.
select view_name as name, 'view' as kind
from duckdb_views()
where not internal and database_name = current_database()
union all
select table_name as name, 'table' as kind
from duckdb_tables()
where not internal and database_name = current_database()
