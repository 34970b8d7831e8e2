-- Accepted and rejected records per batch: see `Tally`.
-- Parameters: $batch_id, $last_id, $header (prefix of the reason of a reject that is a header), $cursor (for a
-- database, its cursor column: the content of rejects begins with its value, which names them instead of a line; else
-- null).
with loaded as (
    select batch_id, count(*) as records, min(ts) as first_ts, max(ts) as last_ts
    from events
    where batch_id between $batch_id and $last_id
    group by batch_id
),

refused as (
    select
        *,
        try_cast(replace(regexp_extract(reason, '^([0-9,]+) s ahead of', 1), ',', '') as bigint) as ahead_seconds
    from rejects
    where batch_id between $batch_id and $last_id
),

counted as (
    select
        batch_id,
        count(*) as records,
        case
            when $cursor is null then 'line ' || min(line) || ': '
            else coalesce($cursor || ' ' || nullif(split_part(arg_min(content, line), ',', 1), 'None') || ': ', '')
        end || arg_min(reason, line) as first_reject,
        count(*) filter (reason not like '%, of which retention keeps nothing') as misread,
        min(ahead_seconds) as least_ahead,
        max(ahead_seconds) as most_ahead,
        max(line) filter (starts_with(reason, $header)) as header_line
    from refused
    group by batch_id
)

select
    batch_id,
    coalesce(loaded.records, 0) as records,
    coalesce(counted.records, 0) as rejected,
    coalesce(counted.first_reject, '') as first_reject,
    loaded.first_ts,
    loaded.last_ts,
    coalesce(counted.misread, 0) as misread,
    counted.least_ahead,
    counted.most_ahead,
    counted.header_line
from loaded
full outer join counted using (batch_id)
