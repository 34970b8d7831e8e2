-- JSON lines on a cluster with their values, if each key occurs once, at the top level, and there are no escapes: all
-- that JSON readers treat differently is left to a closer look. Portable. Reads `lines` (place, block, id, text,
-- is_utf8).
-- Parameters: $ts_key, $build_key, $code_key and $client_key (or NULL) with their quotes; $ts_value, $build_value,
-- $code_value and $client_value, expressions for a key and its value, which is a text in quotes or a whole number (of a
-- client it may be null); $longest_record (characters).
with texts as (
    select *, case when is_utf8 and length(text) <= $longest_record then text else '' end as body from lines
),

drawn as (
    -- Each text is reduced to a quote, and each other value to a 0; in `keyed` the keys are T, B, C and U.
    select
        *,
        not regexp_matches(body, '[\x00-\x1f\\]')
        and (length(body) - length(replace(body, '"', ''))) % 2 = 0 as is_paired,
        regexp_replace(
            regexp_replace(body, '"[^"]*"', '"', 'g'),
            'true|false|null|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?', '0', 'g'
        ) as shape,
        regexp_replace(
            regexp_replace(
                replace(
                    replace(replace(replace(body, $ts_key, 'T'), $build_key, 'B'), $code_key, 'C'),
                    coalesce($client_key, $code_key), 'U'
                ),
                '"[^"]*"', '"', 'g'
            ),
            'true|false|null|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?', '0', 'g'
        ) as keyed
    from texts
),

dense as (
    select
        *,
        regexp_matches(shape, '[0"] +[0"]') as is_torn,
        replace(shape, ' ', '') as dense_shape,
        replace(keyed, ' ', '') as dense_keyed
    from drawn
),

-- Objects and lists within the object, two deep, are values.
flat as (
    select
        *,
        regexp_replace(
            regexp_replace(
                substring(dense_shape, 2),
                '\{\}|\{":["0](,":["0])*\}|\[\]|\[["0](,["0])*\]', '0', 'g'
            ),
            '\{\}|\{":["0](,":["0])*\}|\[\]|\[["0](,["0])*\]', '0', 'g'
        ) as flat_shape,
        regexp_replace(
            regexp_replace(
                substring(dense_keyed, 2),
                '\{\}|\{":["0](,":["0])*\}|\[\]|\[["0](,["0])*\]', '0', 'g'
            ),
            '\{\}|\{":["0](,":["0])*\}|\[\]|\[["0](,["0])*\]', '0', 'g'
        ) as flat_keyed
    from dense
),

found as (
    select
        *,
        is_paired
        and not is_torn
        and starts_with(dense_shape, '{')
        and length(dense_shape) <= 4000
        and regexp_matches(flat_shape, '^":["0](,":["0])*\}\z')
        and regexp_matches(flat_keyed, '^["TBCU]:["0](,["TBCU]:["0])*\}\z')
        and length(flat_keyed) - length(replace(flat_keyed, 'T', '')) = 1
        and length(flat_keyed) - length(replace(flat_keyed, 'B', '')) = 1
        and length(flat_keyed) - length(replace(flat_keyed, 'C', '')) = 1
        and length(flat_keyed) - length(replace(flat_keyed, 'U', '')) <= 1 as is_object,
        replace(regexp_extract(body, $ts_value, 1), '"', '') as ts,
        regexp_extract(body, $build_value, 1) as build_text,
        regexp_extract(body, $code_value, 1) as code_text,
        case when flat_keyed like '%U%' then regexp_extract(body, $client_value, 1) end as client_text
    from flat
)

select
    place,
    block,
    id,
    text,
    ts,
    replace(build_text, '"', '') as build,
    replace(code_text, '"', '') as code,
    replace(nullif(client_text, 'null'), '"', '') as client,
    is_object
    and build_text <> ''
    and code_text <> ''
    and (client_text is null or client_text <> '') as is_whole
from found
