-- Rows of a Parquet file as records: a build and a code have one spelling, whatever the type of their column. Reads
-- `found` (line, ts, clock, build, code, stratum, client, each of the type that it has in the file).
-- Parameters: $has_clock, $has_stratum, $has_client.
-- A blob as text has its bytes beyond ASCII escaped, from which they can be restored.
with shown as (
    select
        line,
        if($has_clock, 'VARCHAR', typeof(ts)) as ts_type,
        typeof(build) as build_type,
        typeof(code) as code_type,
        if($has_clock, concat_ws(' ', cast(ts as varchar), cast(clock as varchar)), cast(ts as varchar)) as ts_text,
        cast(build as varchar) as build_text,
        if($has_stratum, typeof(stratum), 'VARCHAR') as stratum_type,
        if($has_stratum, cast(stratum as varchar), null) as stratum_text,
        if($has_client, cast(client as varchar), null) as client,
        nullif(cast(code as varchar), if(code_type in ('FLOAT', 'DOUBLE'), 'nan', null)) as code_text,
        '^(VARCHAR|ENUM\(.*\)|UUID|BLOB|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$'
            as plain,
        '^(TIMESTAMP(_S|_MS|_NS)?|DATE|TIME)( WITH TIME ZONE)?$' as timely
    from found
),

-- 404.0 is 404, but a build 5.10 stays 5.10.
texts as (
    select
        *,
        if(ts_type = 'BLOB', try(decode(try_cast(ts_text as blob))), ts_text) as ts,
        case
            when build_type = 'BLOB' then try(decode(try_cast(build_text as blob)))
            when build_type in ('FLOAT', 'DOUBLE') or build_type like 'DECIMAL%'
                then regexp_replace(build_text, '\.0+$', '')
            else build_text
        end as build,
        if(stratum_type = 'BLOB', try(decode(try_cast(stratum_text as blob))), stratum_text) as stratum,
        case
            -- 1e+16 is a whole number, too.
            when code_type = 'DOUBLE' and contains(code_text, 'e+')
                then coalesce(cast(try_cast(code_text as decimal(38, 0)) as varchar), code_text)
            when code_type = 'BLOB' then try(decode(try_cast(code_text as blob)))
            when code_type in ('FLOAT', 'DOUBLE') or code_type like 'DECIMAL%'
                then regexp_replace(code_text, '(\.\d*[1-9])0+$|\.0+$', '\1')
            else code_text
        end as code
    from shown
)

select
    line,
    case
        when ts_text is not null and not (regexp_matches(ts_type, plain) or regexp_matches(ts_type, timely))
            then 'time is neither text nor a number'
        when build_text is not null and not regexp_matches(build_type, plain) then 'build is neither text nor a number'
        when code_text is not null and not regexp_matches(code_type, plain) then 'code is neither text nor a number'
        when stratum_text is not null and not regexp_matches(stratum_type, plain)
            then 'stratum is neither text nor a number'
        when
            (ts is null and ts_text is not null)
            or (build is null and build_text is not null)
            or (code is null and code_text is not null)
            or (stratum is null and stratum_text is not null)
            then 'is not valid UTF-8'
        when contains(concat(ts, build, stratum, code, client), chr(0)) then 'holds a NUL character'
        else ''
    end as reason,
    ts,
    build,
    code,
    stratum,
    client,
    left(replace(concat_ws(',', ts_text, build_text, code_text), chr(0), '\x00'), 200) as content
from texts
