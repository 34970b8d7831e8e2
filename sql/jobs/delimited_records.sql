-- Lines of delimited text as records (line, reason, ts, build, code, stratum, client, content): a line is a record,
-- unless it is blank. Reads `placed`. A mark is two characters that replace LF and CR within the record (blanks if
-- there are none), followed by the reason why it cannot be read.
-- Parameters: $has_quotes, $delimiter, $field (an expression for a field with the delimiter before it), $is_spaced
-- (blanks beside delimiters), $has_header, $known_names (lists for time, build and code), $longest_record,
-- $kept_of_rejects.
with whole as (
    select
        * exclude (text),
        if(
            mark is null or starts_with(mark, ' '),
            text,
            replace(replace(text, left(mark, 1), chr(10)), substring(mark, 2, 1), chr(13))
        ) as text
    from placed
    where text <> ''
),

split as (
    select
        *,
        $has_quotes and contains(text, '"') as is_quoted,
        case
            when is_quoted then regexp_extract_all($delimiter || text, $field, 1)
            else string_split(text, $delimiter)
        end as fields,
        is_quoted
        and length(array_to_string(regexp_extract_all($delimiter || text, $field, 0), ''))
        <> length($delimiter || text) as is_open
    from whole
),

picked as (
    select
        *,
        if($is_spaced, trim(fields[places[1]], ' '), fields[places[1]]) as ts_field,
        if($is_spaced, trim(fields[places[2]], ' '), fields[places[2]]) as clock_field,
        if($is_spaced, trim(fields[places[3]], ' '), fields[places[3]]) as build_field,
        if($is_spaced, trim(fields[places[4]], ' '), fields[places[4]]) as code_field,
        if($is_spaced, trim(fields[places[5]], ' '), fields[places[5]]) as stratum_field,
        if($is_spaced, trim(fields[places[6]], ' '), fields[places[6]]) as client_field
    from split
),

-- Some writers add empty fields after the last column. A header has a column name in the place of the time; if its
-- width differs, in any field.
read as (
    select
        *,
        case
            when len(fields) <= width then len(fields)
            else greatest(
                width,
                strlen(rtrim(array_to_string(list_transform(fields, lambda x: if(x in ('', '""'), '0', '1')), ''), '0'))
            )
        end as found,
        case
            when mark is not null and strlen(mark) > 2 then substring(mark, 3)
            when strlen(text) > $longest_record and length(text) > $longest_record
                then format('is longer than {:,} characters', $longest_record)
            when is_open then 'a quoted field does not end where it should'
            when section_reason <> '' then section_reason
        end as problem,
        case
            when problem is null and $has_header and (found <> width or not ts_field between '0' and ':')
                then list_transform(fields, lambda x: lower(trim(replace(x, '"', ''), ' ' || chr(9))))
        end as folded
    from picked
)

select
    line + before as line,
    case
        when problem is not null then problem
        when folded = names then 'is a header: columns are read by it from here on'
        -- At least two of the three names occur.
        when
            folded is not null
            and list_has_any(
                if(found = width, [folded[places[1]]], folded), list_concat(names, flatten($known_names))
            )
            and cast(list_has_any(folded, $known_names[1]) as integer)
            + cast(list_has_any(folded, $known_names[2]) as integer)
            + cast(list_has_any(folded, $known_names[3]) as integer) > 1
            then 'is a header'
        when found <> width then format('expected {} fields, found {}', width, found)
        else ''
    end as reason,
    if(is_quoted and starts_with(ts_field, '"'), replace(ts_field[2:-2], '""', '"'), ts_field)
    || case
        when places[2] is null then ''
        when is_quoted and starts_with(clock_field, '"') then ' ' || replace(clock_field[2:-2], '""', '"')
        else ' ' || clock_field
    end as ts,
    if(is_quoted and starts_with(build_field, '"'), replace(build_field[2:-2], '""', '"'), build_field) as build,
    if(is_quoted and starts_with(code_field, '"'), replace(code_field[2:-2], '""', '"'), code_field) as code,
    if(is_quoted and starts_with(stratum_field, '"'), replace(stratum_field[2:-2], '""', '"'), stratum_field)
        as stratum,
    if(is_quoted and starts_with(client_field, '"'), replace(client_field[2:-2], '""', '"'), client_field)
        as client,
    if(reason = 'is a header', text, left(text, $kept_of_rejects)) as content
from read
