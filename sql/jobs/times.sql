-- Parses times, in the same way for every reader. Reads `records` (line, reason, ts, build, code, client, content:
-- all but line are text). A time is in UTC (`utc_ts`), or local time of the source (`local_ts`), or neither.
-- Forms: ISO 8601 and common variants; seconds, milli-, micro- or nanoseconds since 1970, by magnitude; a time of day
-- if the source gives a date. Fractions are cut, not rounded, at the microsecond. A number below 100,000,000 (1973) is
-- no time: each unit covers 1973 to 5138, and no two overlap. 14 digits are a date and a time of day if possible, not
-- milliseconds, which would be after 2286.
-- Parameters: $day (text or NULL) of times of day, $time_format (text or NULL), a format of strptime that is then the
-- only one. The session's time zone is UTC.
with texts as (
    select
        line,
        reason,
        case when reason = '' then trim(ts, ' ' || chr(9)) end as time_text,
        build,
        code,
        client,
        content
    from records
),

-- Rewriting a time is slow, and few times need it.
respelled as (
    select
        *,
        case
            when
                $time_format is null
                and not regexp_full_match(
                    time_text, '[1-9]\d{3}-\d{1,2}-\d{1,2}[Tt ] *\d+:[\d:]+([.,]\d*)?([Zz]|[+-][\d:]+)?'
                    || '|(\d{1,13}|\d{15,})(\.\d*)?'
                )
                then time_text
        end as other_text,
        -- 1.764346500250E12 is 1764346500250.
        regexp_extract(
            other_text, '^(\d{1,19})(?:[.,](\d{0,19}))?[Ee]\+?(-?\d{1,2})$', ['whole', 'fraction', 'exponent']
        ) as number,
        cast(length(number['whole']) as integer) + try_cast(number['exponent'] as integer) as places,
        number['whole'] || number['fraction'] as digits,
        rpad(digits, places, '0') || '.' || digits[places + 1:] as number_text,
        -- Some add the zone's name after the offset: +0100 CET m=+0.1, Z[UTC], GMT+0100 (Central European Standard
        -- Time).
        regexp_replace(
            other_text,
            '^\[?(.*?\d)( ?)(?:GMT|UTC)?([Zz]|[+-]\d{2}:?\d{2})'
            || '(?: (?:[A-Z]{2,5}|[+-]\d{2,4}))?(?: m=[+-][\d.]+)?(?:\[[\w/+-]+\]| \([\w ]+\))?\]?$',
            '\1\2\3'
        ) as unnamed,
        -- 20261128T161500, and 20261128161500: as milliseconds since 1970 that is past the year 2600.
        regexp_replace(unnamed, '^([1-9]\d{3})(\d\d)(\d\d)(?:[Tt ]|(\d{6}[Zz]?\b))', '\1-\2-\3 \4') as hyphened,
        -- 2026/11/28 16:15:00; and a date with midnight, before the time of day of another column.
        regexp_replace(
            hyphened,
            '^([1-9]\d{3})[-/.](\d{1,2})[-/.](\d{1,2})[Tt ](?:00:00(?::00(?:[.,]0+)?)?[Zz]? (\d{1,2}:\d\d:))?',
            '\1-\2-\3 \4'
        ) as year_first,
        -- 28/Nov/2026:16:15:00, Sat, 28 Nov 2026 16:15:00
        regexp_replace(
            year_first,
            '^(?:[A-Za-z]{3,9},? +)?(\d{1,2})[-/ ]([A-Za-z]{3})[a-z]*[-/ ]([1-9]\d{3})[: ]', '\3-\2-\1 '
        ) as day_first,
        -- Sat Nov 28 2026 16:15:00, Nov 28, 2026 @ 16:15:00.250, Sat Nov 28 16:15:00 UTC 2026
        regexp_replace(
            day_first,
            '^(?:[A-Za-z]{3,9},? +)?([A-Za-z]{3})[a-z]* +(\d{1,2}),? +([1-9]\d{3}),? (?:@ )?', '\3-\1-\2 '
        ) as month_first,
        regexp_replace(
            month_first,
            '^(?:[A-Za-z]{3,9},? +)?([A-Za-z]{3}) +(\d{1,2}) +([\d:.]+) (.* )?([1-9]\d{3})$', '\5-\1-\2 \3 \4'
        ) as dated,
        regexp_extract(dated, '(?i)^\d{4}-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-', 1) as month,
        case
            when month = '' then dated
            else replace(
                dated, month, cast((instr('janfebmaraprmayjunjulaugsepoctnovdec', lower(month)) + 2) // 3 as varchar)
            )
        end as numbered,
        -- A clock without colons.
        regexp_replace(numbered, '^(\S+[Tt ]\d\d)(\d\d)', '\1:\2') as halved,
        regexp_replace(halved, '^(\S+[Tt ]\d\d:\d\d)(\d\d)', '\1:\2') as clocked,
        -- 4:15:00 PM; Java and JavaScript have a narrow no-break space in it.
        regexp_extract(
            clocked,
            '^(\S+[Tt ] *)(1[0-2]|0?[1-9])(:[\d:.,]*\d)[ \x{202f}]?([AaPp])\.?[Mm]\.?(.*)$',
            ['day', 'hour', 'minutes', 'half', 'zone']
        ) as halves,
        try_cast(halves['hour'] as integer) % 12 + if(lower(halves['half']) = 'p', 12, 0) as hour,
        case
            when other_text is null then time_text
            when number['whole'] <> '' then number_text
            when hour is not null then concat(halves['day'], hour, halves['minutes'], halves['zone'])
            else clocked
        end as spelling
    from texts
),

parts as (
    select
        * exclude (spelling),
        -- strptime reads a word such as epoch as 1900.
        case
            when $time_format is not null and regexp_matches(time_text, '\d')
                then cast(try_strptime(time_text, $time_format) as timestamp)
        end as formatted_ts,
        typeof(try_strptime('', $time_format)) = 'TIMESTAMP WITH TIME ZONE' as has_zone,
        regexp_extract(
            spelling,
            '^([1-9]\d{3}-\d{1,2}-\d{1,2})[Tt ] *(\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.,]\d*)?)?)'
            || ' ?([Zz]|UTC|GMT|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)? ?$',
            ['day', 'clock', 'zone']
        ) as iso,
        -- A leap second is the last of an hour, or of a half one; it is read as the one that follows it.
        $time_format is null and regexp_matches(iso['clock'], ':[25]9:60') as is_leap,
        regexp_extract(spelling, '^(\d{9,19})(?:[.,](\d*))?$', ['whole', 'fraction']) as epoch,
        regexp_full_match(time_text, '\d{1,2}:\d{2}:\d{2}([.,]\d+)?') as is_clock
    from respelled
),

tidy as (
    select
        *,
        if(is_leap, replace(iso['clock'], ':60', ':59'), iso['clock']) as clock,
        -- A time with an offset needs seconds.
        iso['day'] || ' ' || replace(clock, ',', '.') || if(clock like '%:%:%', '', ':00') as iso_text,
        try_cast(epoch['whole'] as ubigint) as epoch_number
    from parts
),

readings as (
    select
        *,
        case
            when $time_format is not null then if(has_zone or year(formatted_ts) < 1000, null, formatted_ts)
            when iso['day'] <> '' and iso['zone'] = '' then try_cast(iso_text as timestamp)
            when is_clock then try_cast($day || ' ' || replace(time_text, ',', '.') as timestamp)
        end as local_ts,
        case
            when $time_format is not null then if(has_zone and year(formatted_ts) >= 1000, formatted_ts, null)
            when iso['day'] <> '' and lower(iso['zone']) in ('z', 'utc', 'gmt') then try_cast(iso_text as timestamp)
            when iso['day'] <> '' and iso['zone'] <> ''
                then timezone('UTC', try_cast(iso_text || iso['zone'] as timestamptz))
            when epoch_number >= 100000000 then make_timestamp(try_cast(
                case
                    when epoch_number < 100000000000
                        then epoch_number * 1000000 + try_cast(rpad(left(epoch['fraction'], 6), 6, '0') as ubigint)
                    when epoch_number < 100000000000000
                        then epoch_number * 1000 + try_cast(rpad(left(epoch['fraction'], 3), 3, '0') as ubigint)
                    when epoch_number < 100000000000000000 then epoch_number
                    else epoch_number // 1000
                end as bigint
            ))
        end as utc_ts
    from tidy
)

select line, reason, time_text, is_clock, is_leap, local_ts, utc_ts, build, code, client, content from readings
