-- Rows of a Parquet file whose builds and codes are text or whole numbers, and times are times or text. Reads `found`.
-- Parameters: $longest_text, $before_build, $has_client.
with texts as (
    select
        line,
        ts,
        clock,
        stratum,
        if($has_client, cast(client as varchar), null) as client,
        build as found_build,
        code as found_code,
        cast(build as varchar) as build,
        cast(code as varchar) as code
    from found
)

select
    *,
    build <> ''
    and not contains(build, chr(0))
    and not contains(code, chr(0))
    and not coalesce(contains(client, chr(0)), false)
    and strlen(build) <= $longest_text - strlen($before_build) as is_whole
from texts
