-- Lines of delimited text, split into fields if they contain no quote. Reads `lines`.
-- Parameters: $delimiter, $ts_place, $build_place, $code_place and $client_place (or NULL) of fields, from 1; $width,
-- $has_quotes, $longest_record, $longest_text, $before_build.
with split as (
    select *, string_split(text, $delimiter) as fields
    from lines
),

picked as (
    select
        *,
        fields[$ts_place] as ts,
        fields[$build_place] as build,
        fields[$code_place] as code,
        cast(fields[$client_place] as varchar) as client
    from split
)

select
    line,
    text,
    mark,
    ts,
    build,
    code,
    client,
    len(fields) = $width
    and mark is null
    and strlen(text) <= $longest_record
    and not ($has_quotes and contains(text, '"'))
    and build <> ''
    and strlen(build) <= $longest_text - strlen($before_build) as is_whole
from picked
