-- Rows of a Parquet file with their numbers (line, ts, clock, build, code, stratum, client), of the types that they
-- have there.
-- Parameters: $path (a pattern that means one file), $ts_name, $clock_name, $build_name, $code_name,
-- $stratum_name and $client_name of columns; where there is no clock, stratum or client, any.
select
    file_row_number + 1 as line,
    columns(lambda name: name = $ts_name) as ts,
    columns(lambda name: name = $clock_name) as clock,
    columns(lambda name: name = $build_name) as build,
    columns(lambda name: name = $code_name) as code,
    columns(lambda name: name = $stratum_name) as stratum,
    columns(lambda name: name = $client_name) as client
from read_parquet($path, file_row_number = true, hive_partitioning = false)
