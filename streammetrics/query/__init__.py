"""Questions in SQL and files for other programs: one statement that reads, a span of time, an export.

In comes a SELECT or the name of a relation; out go rows as a table, CSV, JSON lines or Parquet. Nothing is written to
the store. `cli` calls it; `report` uses its spans of time.
"""
