"""The DuckDB file: connections and locks, schema, the SQL of `sql/`, settings as tables, backup and retention.

In come a path and the names of SQL files; out go connections whose schema and views are those of this version, and
query texts that read a slice of time. All rooms above read and write the store through it.
"""
