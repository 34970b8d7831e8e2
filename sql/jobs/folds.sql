-- When a zone sets its clock back, an hour occurs twice; the order of lines decides which of the two a record means.
-- Reads `times`, whose lines are in the order of writing, within a minute. A line more than a minute earlier than a
-- line before it is in the second hour, and so are later lines, except stragglers of the first. Lines before such a
-- step are in the first hour. Without a step, lines are in the first hour if they follow each other within a minute
-- from before that hour on, or if the second hour is still in the future. No row, or no `ts`, if the order does not
-- decide.
-- Parameters: $zone, $after (the latest record that is known of each file, by its place), $latest (timestamp),
-- $future_limit_seconds.
with differences as (
    select unnest([interval 30 minute, interval 1 hour, interval 2 hour]) as apart
),

ahead as (
    select unnest([interval 0 minute, interval 1 minute]) as step
),

near as (
    select
        times.line,
        times.line >> 32 as place,
        times.local_ts,
        timezone('UTC', timezone($zone, times.local_ts)) as later_ts,
        -- Also times of the minute before the repeated hour.
        max(differences.apart) filter (ahead.step = interval 0 minute) as apart,
        cast($after as timestamp[])[place + 1] as after_ts
    from times
    cross join differences
    cross join ahead
    where
        timezone($zone, timezone($zone, times.local_ts + ahead.step) - differences.apart)
        = times.local_ts + ahead.step
    group by times.line, times.local_ts
),

reached as (
    select
        *,
        timezone($zone, timezone('UTC', after_ts)) as after_local_ts,
        coalesce(
            timezone('UTC', timezone($zone, after_local_ts)) = after_ts
            and timezone($zone, timezone($zone, after_local_ts) - apart) = after_local_ts,
            false
        ) as is_after_second,
        coalesce(lag(local_ts) over so_far, after_local_ts) as previous_ts,
        apart is not null and coalesce(local_ts > previous_ts + interval 1 minute, true) as is_gap,
        greatest(
            max(local_ts) over (so_far rows between unbounded preceding and 1 preceding),
            if(is_after_second, null, after_local_ts)
        ) as reached_ts,
        coalesce(local_ts < reached_ts - interval 1 minute, false) as is_back
    from near
    window so_far as (partition by place, year(local_ts) order by line)
),

again as (
    select
        *,
        greatest(
            max(local_ts) filter (is_back) over (so_far rows between unbounded preceding and 1 preceding),
            if(is_after_second, after_local_ts, null)
        ) as again_ts,
        coalesce((is_back or is_after_second) and local_ts < again_ts - interval 1 minute, false) as is_disordered
    from reached
    window so_far as (partition by place, year(local_ts) order by line)
),

counted as (
    select
        *,
        count(*) filter (is_disordered) over night as disordered,
        count(*) filter (is_back) over night as backs,
        count(*) filter (is_gap) over (night order by line) as gaps
    from again
    window night as (partition by place, year(local_ts))
)

select
    line,
    case
        when disordered > 0 then null
        when is_back or after_ts >= later_ts or local_ts <= again_ts + apart - interval 2 minute then later_ts
        when backs > 0 or gaps = 0 then later_ts - apart
        when later_ts > $latest - to_seconds($future_limit_seconds) + interval 1 minute then later_ts - apart
    end as ts
from counted
where apart is not null
