-- Rows that Python has read, as records (line, reason, ts, build, code, stratum, client, content); builds already have
-- their stratum. Binding one text is a hundred times faster than a list. `materialized` keeps the planner from
-- splitting the texts itself, which takes twice the time and memory. For a row that can be read, `contents` has only
-- the cursor.
-- Parameters, texts with a NUL between two values: $lines, $row_reasons, $times, $builds, $codes, $clients (NULL where
-- there is no such column), $contents.
with given (lines, row_reasons, times, builds, codes, clients, contents) as materialized (
    select $lines, $row_reasons, $times, $builds, $codes, $clients, $contents
),

found as (
    select
        cast(unnest(string_split(lines, chr(0))) as bigint) as line,
        unnest(string_split(row_reasons, chr(0))) as reason,
        unnest(string_split(times, chr(0))) as ts,
        unnest(string_split(builds, chr(0))) as build,
        unnest(string_split(codes, chr(0))) as code,
        unnest(string_split(clients, chr(0))) as client,
        unnest(string_split(contents, chr(0))) as content
    from given
)

select
    * replace (if(reason = '', concat_ws(',', content, ts, build, code), content) as content),
    cast(null as varchar) as stratum
from found
