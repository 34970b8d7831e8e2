"""What texts are times, in SQL: one meaning for every reader.

ISO 8601 dates with a clock, with a zone (Z, UTC, GMT, +02, +02:00, +0200) or without; seconds, milli-, micro- or
nanoseconds since 1970, told by magnitude; a time of day where the source gives a date. Fractions are cut, not rounded,
at the microsecond. A number below 100,000,000 (1973) is no time: each unit covers 1973 to 5138, and no two overlap.
Where the source has a `time_format`, texts are read by that alone.
"""

import re
from collections.abc import Iterable

from streammetrics.sources.records import LONGEST_TEXT

_PLAIN = r"[1-9]\d{3}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?"

# A bare cast drops an offset, but takes no other text of one of these shapes for a time than `TYPED` does. It costs
# nothing to compare shapes; with a fraction there is room for an offset, and only an expression tells.
_SHAPES = tuple(f"____-__-__{t}__:__:__{zone}" for t in "T " for zone in ("", "Z"))

_TIME_OF_DAY = re.compile(r"\s*\d{1,2}:\d{2}:\d{2}([.,]\d+)?\s*", re.ASCII)


def plain_guard(sample: Iterable[str]) -> str:
    """A condition in SQL on `ts` which these texts fulfil, and under which a bare cast to TIMESTAMP reads them right.

    Empty where there is none, as not all are ISO 8601 in UTC (or without a zone: the caller knows that UTC is meant).
    """
    texts = set(sample)
    if not all(re.fullmatch(_PLAIN, text, re.ASCII) for text in texts):
        return ""
    found = {re.sub("[0-9]", "_", text) for text in texts}
    shape = next(iter(found), _SHAPES[0])
    if len(found) <= 1 and shape in _SHAPES:
        return f"ts like '{shape}'"
    return f"regexp_full_match(ts, '{_PLAIN}')"


def is_time_of_day(text: str) -> bool:
    """Whether the text is a time of day without a date."""
    return _TIME_OF_DAY.fullmatch(text) is not None


_MAYBE = re.compile(
    r"\s*\d{9,19}(\.\d*)?\s*"  # seconds since 1970, or 20261123100000
    r"|.*\b\d{1,2}:\d{2}\b.*"
    r"|.*\b(\d{4}([-./])\d{1,2}\3\d{1,2}|\d{1,2}([-./])\d{1,2}\4\d{4})\b.*",
    re.ASCII | re.DOTALL,
)


def looks_like_one(text: str) -> bool:
    """Whether the text is a time in any form that people write."""
    return _MAYBE.fullmatch(text) is not None


TYPED = r"""
texts as (
    select line, reason, trim(ts, ' ' || chr(9)) as time_text, build, code, content from records
),

parts as (
    select
        *,
        -- A word such as epoch is 1900 to strptime.
        case
            when $time_format is not null and regexp_matches(time_text, '\d')
                then cast(try_strptime(time_text, $time_format) as timestamp)
        end as formatted_ts,
        typeof(try_strptime('', $time_format)) = 'TIMESTAMP WITH TIME ZONE' as has_zone,
        regexp_extract(
            time_text,
            '^([1-9]\d{3}-\d{1,2}-\d{1,2})[Tt ] *(\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.,]\d*)?)?)'
            || ' ?([Zz]|UTC|GMT|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?$',
            ['day', 'clock', 'zone']
        ) as iso,
        regexp_extract(time_text, '^(\d{9,19})(?:\.(\d*))?$', ['whole', 'fraction']) as epoch,
        regexp_full_match(time_text, '\d{1,2}:\d{2}:\d{2}([.,]\d+)?') as is_clock
    from texts
),

tidy as (
    select
        *,
        iso.day || ' ' || replace(iso.clock, ',', '.') as iso_text,
        try_cast(epoch.whole as ubigint) as epoch_number
    from parts
),

readings as (
    select
        *,
        case
            when $time_format is not null then if(has_zone or year(formatted_ts) < 1000, null, formatted_ts)
            when iso.day <> '' and iso.zone = '' then try_cast(iso_text as timestamp)
            when is_clock then try_cast($day || ' ' || replace(time_text, ',', '.') as timestamp)
        end as local_ts,
        case
            when $time_format is not null then if(has_zone and year(formatted_ts) >= 1000, formatted_ts, null)
            when iso.day <> '' and lower(iso.zone) in ('z', 'utc', 'gmt') then try_cast(iso_text as timestamp)
            when iso.day <> '' and iso.zone <> '' then timezone('UTC', try_cast(iso_text || iso.zone as timestamptz))
            when epoch_number >= 100000000 then make_timestamp(try_cast(
                case
                    when epoch_number < 100000000000
                        then epoch_number * 1000000 + try_cast(rpad(left(epoch.fraction, 6), 6, '0') as ubigint)
                    when epoch_number < 100000000000000
                        then epoch_number * 1000 + try_cast(rpad(left(epoch.fraction, 3), 3, '0') as ubigint)
                    when epoch_number < 100000000000000000 then epoch_number
                    else epoch_number // 1000
                end as bigint
            ))
        end as utc_ts
    from tidy
),

-- A time that the clock skips comes back as another; one that it shows twice is found half an hour, one or two earlier.
moments as (
    select
        *,
        case
            when local_ts is null then utc_ts
            when $zone = 'UTC' then local_ts
            when
                timezone($zone, timezone($zone, local_ts)) = local_ts
                and timezone($zone, timezone($zone, local_ts) - interval 30 minute) <> local_ts
                and timezone($zone, timezone($zone, local_ts) - interval 1 hour) <> local_ts
                and timezone($zone, timezone($zone, local_ts) - interval 2 hour) <> local_ts
                then timezone('UTC', timezone($zone, local_ts))
        end as ts
    from readings
),

typed as (
    select
        line,
        ts,
        build,
        code,
        content,
        case
            when reason <> '' then reason
            when build is null or build = '' then 'has no build'
            when length(build) > $longest_text then format('its build is longer than {:,} characters', $longest_text)
            when code is null then 'has no code'
            when length(code) > $longest_text then format('its code is longer than {:,} characters', $longest_text)
            when time_text is null or time_text = '' then 'has no time'
            when $time_format is not null and local_ts is null and utc_ts is null
                then format('time cannot be read by time_format ''{}'': ''{}''', $time_format, left(time_text, 60))
            when is_clock and $day is null then 'time cannot be read: a time of day, and the source sets no date'
            when regexp_full_match(time_text, '\d{4}-\d{2}-\d{2}')
                then 'time cannot be read: a date without a time of day'
            when ts is null and local_ts is not null
                then 'time cannot be read: the clock of ' || $zone || ' shows it never, or twice'
            when ts is null then 'time cannot be read'
            when ts > $latest
                then format(
                    '{:,} s ahead of the clock, more than ingest.future_limit_seconds = {}',
                    cast(ceil(epoch(ts) - epoch($latest)) as bigint) + $future_limit_seconds, $future_limit_seconds
                )
            when ts < cast($oldest as timestamp)
                then format(
                    '{:,} days older than the clock, more than ingest.oldest_days = {}',
                    cast(ceil((epoch($oldest) - epoch(ts)) / 86400) as bigint) + $oldest_days, $oldest_days
                )
            when ts < cast($kept_from as timestamp)
                then 'from before ' || strftime(cast($kept_from as timestamp), '%Y-%m-%d %H:%M')
                    || ', of which retention keeps nothing'
        end as problem
    from moments
)
""".replace("$longest_text", str(LONGEST_TEXT))
"""Common table expressions that make of `records` (line, reason, ts, build, code, content: all but line are text) the
relation `typed` (line, ts, build, code, content, problem). `problem` is NULL where the record counts.

Parameters: $zone of times without one, $day (text or NULL) of times of day, $time_format (text or NULL) of strptime,
$latest (timestamp) and $future_limit_seconds, $oldest (timestamp) and $oldest_days, $kept_from (timestamp or NULL).
The session's time zone is UTC.
"""
