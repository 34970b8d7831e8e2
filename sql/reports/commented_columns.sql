-- The columns of some relations, in order.
select table_name, column_name, data_type
from duckdb_columns()
where not internal and database_name = current_database() and list_contains($relations, table_name)
order by table_name, column_index
