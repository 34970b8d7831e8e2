-- Lines of delimited text on a cluster, split into fields if they contain no quote and no byte order mark. Portable.
-- Reads `lines` (place, block, id, text, is_utf8).
-- Parameters: $delimiter, $ts_place, $build_place, $code_place and $client_place (or NULL) of fields, from 1; $width,
-- $longest_record (characters).
select
    place,
    block,
    id,
    text,
    split_part(text, $delimiter, $ts_place) as ts,
    split_part(text, $delimiter, $build_place) as build,
    split_part(text, $delimiter, $code_place) as code,
    split_part(text, $delimiter, cast($client_place as integer)) as client,
    is_utf8
    and length(text) <= $longest_record
    and length(text) - length(replace(text, $delimiter, '')) = $width - 1
    and not regexp_matches(text, '["\x00\x{feff}]') as is_whole
from lines
