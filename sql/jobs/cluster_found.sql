-- Rows of Parquet files that a cluster leaves to a closer look, in the form of jobs/parquet_rows. Reads
-- `cluster_rows`. Parameters: $places of the files.
select (place << 32) + id + 1 as line, ts, clock, build, code, stratum, client
from cluster_rows
where place in (select unnest($places))
