-- The lines of a text that is plain as it is (streammetrics/sources/plain.py): none has a NUL, and no mark.
-- Parameters: $path (a pattern that means one file), $skipped (lines before the first).
select text, cast(null as varchar) as mark
from read_csv(
    $path, auto_detect = false, header = false, skip = $skipped, delim = chr(0), quote = '', escape = '', comment = '',
    columns = { 'text': 'VARCHAR' }, compression = 'none', hive_partitioning = false, max_line_size = 4194304
)
