-- Records of delimited text without quotes, by DuckDB's own reader; lines with another number of fields are left out.
-- Parameters: $path (a pattern that matches one file), $columns (their types by name, all texts), $delimiter, $header,
-- $no_null (a text that no file contains, because no value is NULL), $longest_record, $longest_text, $before_build,
-- $has_client, $client_name (any column if there is no client).
select
    0 as line,
    ts,
    build,
    code,
    if($has_client, columns(lambda name: name = $client_name), null) as client,
    build <> '' and strlen(build) <= $longest_text - strlen($before_build) as is_whole
from read_csv(
    $path, auto_detect = false, header = $header, columns = $columns, delim = $delimiter, quote = '', escape = '',
    comment = '', nullstr = $no_null, null_padding = false, strict_mode = true, ignore_errors = true,
    compression = 'none', hive_partitioning = false, max_line_size = $longest_record
)
