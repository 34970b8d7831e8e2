-- Which records are accepted: line, ts, build, code, client, content and `problem`, NULL for an accepted record. Reads
-- `times`, and `folds`: the meaning of local times that occur twice.
-- Parameters: $zone of times without one, $day (text or NULL), $time_format (text or NULL), $latest (timestamp),
-- $future_limit_seconds, $oldest (timestamp), $oldest_days, $kept_from (timestamp or NULL), $longest_text.
-- A skipped local time comes back as another one; a repeated one also exists half an hour, one or two hours earlier.
with moments as (
    select
        times.*,
        case
            when local_ts is null then utc_ts
            when folds.ts is not null then folds.ts
            when $zone = 'UTC' then local_ts
            when
                timezone($zone, timezone($zone, local_ts)) = local_ts
                and timezone($zone, timezone($zone, local_ts) - interval 30 minute) <> local_ts
                and timezone($zone, timezone($zone, local_ts) - interval 1 hour) <> local_ts
                and timezone($zone, timezone($zone, local_ts) - interval 2 hour) <> local_ts
                then timezone('UTC', timezone($zone, local_ts))
        end + to_seconds(cast(is_leap as integer)) as ts
    from times
    left join folds on times.line = folds.line
)

select
    line,
    ts,
    build,
    code,
    client,
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
            then 'time cannot be read: this local time does not exist, or occurs twice, in ' || $zone
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
            then format(
                'from before {}, of which retention keeps nothing',
                strftime(cast($kept_from as timestamp), '%Y-%m-%d %H:%M')
            )
    end as problem
from moments
