-- Stretches in which a build sent nothing although records were expected: its feed failed.
-- Grain: one row per build or side and gap, [from_second, until_second); is_rare: it had sent few records before.
-- Reads: presence, sides, span, build_hours
-- Feeds: judged_bins
with
presence as (select build, second, records, floor(second / 3600) as hour from presence),

-- Records in the clock hour of the last record before a silence and the hour before; also before a slice.
last_hours as (
    select
        build, hour_second, lead(hour_second, 1, 253402300799) over by_hour as next_second,
        sum(records) over (
            partition by build order by hour_second range between 3600 preceding and current row
        ) as records
    from build_hours window by_hour as (partition by build order by hour_second)
),

-- The beginning of a slice counts as a record. The bins that are judged begin more than an hour later: a build that is
-- silent for that hour is in a gap, whenever its last record was.
received as (
    select build, second from presence
    union all
    select distinct sides.side as build, span.presence_from_second - 1 as second from sides cross join span
),

stretches as (
    select
        r.build, r.second, floor(r.second / 3600) as hour,
        lead(r.second, 1, span.end_second) over (partition by r.build order by r.second) as until_second
    from received as r cross join span
),

-- An upper bound for the hour before, cheap to compute: the two clock hours that overlap it.
hours as (
    select p.build, p.hour + shifts.hours as hour, sum(p.records) as records
    from presence as p cross join (values (0), (1)) as shifts (hours) group by p.build, p.hour + shifts.hours
),

looks as (
    select s.build, s.second, s.until_second, s.hour - shifts.hours as hour
    from stretches as s
    left join hours as h on s.build = h.build and s.hour = h.hour
    cross join (values (0), (1)) as shifts (hours)
    where (s.until_second - s.second - 1) * h.records >= 20 * 3600 or s.until_second - s.second - 1 > 3600
)

-- A gap: 20 records were expected at the mean rate of the hour before, or an hour has passed.
select
    looks.build, looks.second + 1 as from_second, looks.until_second, coalesce(max(l.records), 0) < 20 as is_rare
from looks
left join last_hours as l
    on looks.build = l.build and looks.second >= l.hour_second and looks.second < l.next_second
left join presence
    on
        looks.build = presence.build and looks.hour = presence.hour
        and looks.second >= presence.second and looks.second < presence.second + 3600
group by looks.build, looks.second, looks.until_second
having
    (looks.until_second - looks.second - 1) * coalesce(sum(presence.records), 0) >= 20 * 3600
    or looks.until_second - looks.second - 1 > 3600
