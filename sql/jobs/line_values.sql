-- JSON lines with their values as sql/jobs/read_values.sql has them. Reads `lines`.
-- Parameters: $plain_pointers to time, build, code and, if there is one, client; $is_build_text.
with pointed as (
    select
        *,
        try(json_extract_string(text, $plain_pointers)) as found
    from lines
)

select
    line,
    text,
    mark,
    case when mark is null then found[1] end as ts,
    if($is_build_text, found[2], cast(try(json_extract(text, $plain_pointers[2])) as varchar)) as build_value,
    found[3] as code,
    found[4] as client
from pointed
