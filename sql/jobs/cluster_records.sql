-- Plain lines on a cluster as records. For other lines `day` is NULL and `text` is kept for a closer look. Reads
-- `candidates` (place, block, id, text, ts, build, code, client, is_whole). Portable.
-- Parameters: $before_build, $longest_text, $latest, $oldest, $kept_from (NULL where all is kept).
with split as (
    select
        *,
        -- ISO 8601; digits after microseconds are cut.
        regexp_extract(
            ts,
            '^([1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6}[0-9]{0,3})?)'
            || '(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?\z',
            1
        ) as moment,
        regexp_extract(ts, '[0-9]([+-](0[0-9]|1[0-4]):?[0-5][0-9])\z', 1) as zone,
        case when regexp_matches(ts, '^[1-9][0-9]{9}([0-9]{3})?\z') then cast(ts as bigint) end as epoch_number
    from candidates
),

offsets as (
    select
        *,
        case
            when moment like '%:%' and zone <> ''
                then cast(substring(zone, 2, 2) as integer) * 60 + cast(right(zone, 2) as integer)
            else 0
        end * case when starts_with(zone, '-') then -1 else 1 end as offset_minutes
    from split
),

timed as (
    select
        *,
        case
            when moment <> ''
                then try_cast(left(moment, 26) as timestamp) - offset_minutes * interval '1' minute
            when epoch_number < 100000000000
                then cast('1970-01-01' as timestamp) + epoch_number * interval '1' second
            when epoch_number is not null
                then
                    cast('1970-01-01' as timestamp)
                    + epoch_number // 1000 * interval '1' second
                    + epoch_number % 1000 * 1000 * interval '1' microsecond
        end as found_ts
    from offsets
),

judged as (
    select
        *,
        coalesce(
            is_whole
            and build <> ''
            and length(build) <= $longest_text - length($before_build)
            and length(code) <= $longest_text
            and found_ts >= cast($oldest as timestamp)
            and found_ts >= coalesce(cast($kept_from as timestamp), cast($oldest as timestamp))
            and found_ts <= cast($latest as timestamp),
            false
        ) as is_plain
    from timed
)

select
    place,
    block,
    id,
    case when is_plain then found_ts end as ts,
    case when is_plain then $before_build || build end as build,
    case when is_plain then code end as code,
    case when is_plain then nullif(left(client, $longest_text), '') end as client,
    case when not is_plain then text end as text,
    case when is_plain then cast(found_ts as date) end as day
from judged
