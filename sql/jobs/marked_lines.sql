-- The lines of a text that was made plain (streammetrics/sources/plain.py): behind a NUL stands the mark of a line.
-- Parameters: $path (a pattern that means one file), $skipped (lines before the first).
select text, mark
from read_csv(
    $path, auto_detect = false, header = false, skip = $skipped, delim = chr(0), quote = '', escape = '', comment = '',
    columns = { 'text': 'VARCHAR', 'mark': 'VARCHAR' }, null_padding = true, compression = 'none',
    hive_partitioning = false, max_line_size = 4194304
)
