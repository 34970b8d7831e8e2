-- Values of JSON lines by DuckDB's own reader; what it cannot read is NULL. See sql/jobs/plain_values.sql.
-- Parameters: $path (a pattern that means one file), $json_columns (keys of time, build, code and client with their
-- types).
select 0 as line, found_values.ts, found_values.build_value, found_values.code, found_values.client
from read_json(
    $path, format = 'newline_delimited', columns = $json_columns, ignore_errors = true, compression = 'uncompressed',
    hive_partitioning = false
) as found_values (ts, build_value, code, client)
