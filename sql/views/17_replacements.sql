-- Builds that replaced another one within an hour, so that there is little to compare side by side.
-- Grain: one row per comparison of the settings and candidate.
-- Reads: builds, build_hours, openings
-- Feeds: earlier
with
openings as (select * from openings where opened_second > -62135596800),

-- The two clock hours after that of the candidate's first record.
hours as (
    select h.build, h.hour_second, h.records, hours.later
    from build_hours as h cross join (values (1), (2)) as hours (later)
),

sent as (
    select
        o.old_build, o.new_build, h.hour_second, max(epoch(newer.last_second)) as last_second,
        sum(h.records) as records, sum(case when h.build = o.new_build then h.records else 0 end) as new_records
    from openings as o
    inner join builds as newer on o.new_build = newer.build
    inner join hours as h on floor(epoch(newer.first_second) / 3600) = floor(h.hour_second / 3600) - h.later
    where h.build = o.old_build or h.build = o.new_build
    group by o.old_build, o.new_build, h.hour_second
),

-- Pairs with such an hour in which few records still came from the old build.
left_behind as (
    select distinct old_build, new_build
    from sent where last_second >= hour_second + 600 and new_records >= 20 and records <= 1.05 * new_records
)

-- Or the old build has been silent for ten minutes, and its last record was within an hour of that first record.
select
    o.baseline, o.candidate, o.builds_like, o.old_build, o.new_build, o.opened_second,
    epoch(newer.first_second) - epoch(older.first_second) as known_seconds
from openings as o
inner join builds as older on o.old_build = older.build
inner join builds as newer on o.new_build = newer.build
left join left_behind as l on o.old_build = l.old_build and o.new_build = l.new_build
where
    l.old_build is not null
    or epoch(older.last_second) < least(epoch(newer.first_second) + 3600, epoch(newer.last_second) - 600)
