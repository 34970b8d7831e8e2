-- Rows of Parquet files that a cluster leaves to a closer look, as jobs/parquet_rows has rows of one file. Reads
-- `cluster_rows`. Parameters: $places of the files.
select (place << 32) + id + 1 as line, ts, clock, build, code, stratum, client
from cluster_rows
where place in (select unnest($places))
