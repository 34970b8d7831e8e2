-- As jobs/parquet_rows, where the date and the time of day are two columns.
-- Parameters: $path (a pattern that means one file), $ts_name (the date), $clock_name, $build_name, $code_name,
-- $stratum_name.
with found as (
    select
        file_row_number + 1 as line,
        columns(lambda name: name = $ts_name) as day,
        columns(lambda name: name = $clock_name) as clock,
        columns(lambda name: name = $build_name) as build,
        columns(lambda name: name = $code_name) as code,
        columns(lambda name: name = $stratum_name) as stratum
    from read_parquet($path, file_row_number = true, hive_partitioning = false)
)

select line, concat_ws(' ', day, clock) as ts, build, code, stratum
from found
