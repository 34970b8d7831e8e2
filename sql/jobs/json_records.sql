-- Lines of JSON as records (line, reason, ts, build, code, stratum, client, content): an object a line, unless
-- it is blank. Reads `placed`; a mark is two blanks and the reason why a line cannot be read.
-- Numbers keep their digits as written in the line, if these can be found after their key.
-- Parameters: $pointers to values, first the candidates for the time, then clock, build, code, stratum and client;
-- $stops, the place of the last pointer of each role; $keys, the names of the roles in a line; $longest_record,
-- $kept_of_rejects.
with objects as (
    select
        *,
        case
            when mark is null and strlen(text) <= 4 * $longest_record and starts_with(ltrim(text, ' ' || chr(9)), '{')
                then json_valid(text)
            else false
        end as is_object
    from placed
    where trim(text, ' ' || chr(9) || chr(11) || chr(12)) <> ''
),

pointed as (
    select *, case when is_object then cast(json_extract(text, $pointers) as varchar[]) end as found from objects
),

-- For keys with dots, the longest that fits comes first.
roles as (
    select
        *,
        list_any_value(list_slice(found, 1, $stops[1])) as found_ts,
        if($stops[2] = $stops[1], null, list_any_value(list_slice(found, $stops[1] + 1, $stops[2]))) as found_clock,
        list_any_value(list_slice(found, $stops[2] + 1, $stops[3])) as found_build,
        list_any_value(list_slice(found, $stops[3] + 1, $stops[4])) as found_code,
        if($stops[5] = $stops[4], null, list_any_value(list_slice(found, $stops[4] + 1, $stops[5]))) as found_stratum,
        if(
            $stops[6] = $stops[5], null,
            json_extract_string(list_any_value(list_slice(found, $stops[5] + 1, $stops[6])), '$')
        ) as client
    from pointed
),

shown as (
    select
        *,
        case
            when starts_with(found_ts, '"') and not contains(found_ts, '\')
                then substring(found_ts, 2, length(found_ts) - 2)
            when found_ts between '-' and ':' and not contains(found_ts, '.') then found_ts
        end as simple_ts,
        case
            when starts_with(found_build, '"') and not contains(found_build, '\')
                then substring(found_build, 2, length(found_build) - 2)
            when found_build between '-' and ':' and not contains(found_build, '.') then found_build
        end as simple_build,
        case
            when starts_with(found_code, '"') and not contains(found_code, '\')
                then substring(found_code, 2, length(found_code) - 2)
            when found_code between '-' and ':' and not contains(found_code, '.') then found_code
        end as simple_code,
        -- With escapes or fractions.
        case
            when
                simple_ts is null or simple_build is null or simple_code is null or $stops[2] > $stops[1]
                or found_stratum is not null
                then list_transform(
                    list_zip([found_ts, found_clock, found_build, found_code, found_stratum], $keys),
                    lambda x: if(
                        starts_with(x[1], '"'), json_extract_string(x[1], '$'),
                        if(
                            x[1] between '-' and ':',
                            if(
                                contains(x[1], '.'),
                                coalesce(
                                    nullif(regexp_extract(
                                        substring(text, strpos(text, '"' || x[2] || '"') + length(x[2]) + 2),
                                        '^\s*:\s*(-?\d[\d.eE+-]*)', 1
                                    ), ''),
                                    x[1]
                                ),
                                x[1]
                            ),
                            null
                        )
                    )
                )
        end as texts
    from roles
),

read as (
    select
        *,
        if($stops[2] > $stops[1], texts[1] || ' ' || texts[2], coalesce(simple_ts, texts[1])) as ts,
        coalesce(simple_build, texts[3]) as build,
        -- 404.0 is 404, as in Parquet, and 1.0E7 is 10000000; but a build 5.10 stays 5.10.
        case
            when simple_code is not null then simple_code
            when starts_with(found_code, '"') then texts[4]
            else regexp_replace(
                if(contains(lower(texts[4]), 'e'), found_code, texts[4]), '(\.\d*[1-9])0+$|\.0+$', '\1'
            )
        end as code
    from shown
)

select
    line + before as line,
    case
        when mark is not null then substring(mark, 3)
        when strlen(text) > $longest_record and length(text) > $longest_record
            then format('is longer than {:,} characters', $longest_record)
        when not is_object
            then if(regexp_matches(text, '\\u[dD][89a-fA-F]'), 'is not valid UTF-8', 'is not a JSON object')
        when coalesce(found_ts, 'null') = 'null' then 'has no ts'
        when $stops[2] > $stops[1] and coalesce(found_clock, 'null') = 'null' then 'has no ts'
        when coalesce(found_build, 'null') = 'null' then 'has no build'
        -- NaN is how Python writes a missing number.
        when coalesce(lower(found_code), 'null') in ('null', 'nan') then 'has no code'
        when ts is null then 'ts is neither text nor a number'
        when build is null then 'build is neither text nor a number'
        when code is null then 'code is neither text nor a number'
        when texts[5] is null and found_stratum <> 'null' then 'stratum is neither text nor a number'
        when contains(concat(array_to_string(texts, ' '), client), chr(0)) then 'holds a NUL character'
        else ''
    end as reason,
    ts,
    build,
    code,
    texts[5] as stratum,
    client,
    left(text, $kept_of_rejects) as content
from read
