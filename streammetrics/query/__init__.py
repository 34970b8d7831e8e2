"""Ad hoc SQL and exports: one statement that only reads, a span of time, files for other programs.

In comes a SELECT or the name of a relation; out go rows as a table, CSV, JSON lines or Parquet. Nothing is written to
the store. `cli` calls it; `report` uses its spans of time.
"""
