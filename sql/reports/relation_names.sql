-- The tables and views of the store, sorted.
select table_name from duckdb_tables() where not internal and not temporary
union
select view_name from duckdb_views() where not internal and not temporary
order by all
