-- Rows of Parquet files on a cluster. Portable.
-- Reads `lines` (place, block, id, text, is_utf8, ts, build, code, client): the last four as texts, NULL where their
-- column is neither text, nor whole numbers, nor times; `text` is the row.
-- Parameters: $longest_record (characters).
select
    place,
    block,
    id,
    text,
    ts,
    build,
    code,
    client,
    is_utf8
    and length(text) <= $longest_record
    and ts is not null
    and code is not null
    and not regexp_matches(build || code || coalesce(client, ''), '\x00') as is_whole
from lines
