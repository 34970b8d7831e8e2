-- What stands on a side of a comparison: a build, all builds of a pattern, or either as it was days before.
-- Grain: one row per side, with the epoch seconds of its first and last record; None where it never sent one.
-- Reads: builds, openings, earlier
-- Feeds: pairs, gaps
with
found as (
    select build as side, family, epoch(first_second) as first_second, epoch(last_second) as last_second
    from builds where build not in (select earlier.side from earlier where earlier.lag_seconds > 0)
    union all
    select
        earlier.side, builds.family, epoch(builds.first_second) + earlier.lag_seconds as first_second,
        epoch(builds.last_second) + earlier.lag_seconds as last_second
    from earlier inner join builds on earlier.build = builds.build
    union all
    select openings.old_build as side, '' as family, cast(null as double) as first_second, null as last_second
    from openings where openings.old_build not in (select builds.build from builds)
)

select
    side, max(family) as family, cast(min(first_second) as bigint) as first_second,
    cast(max(last_second) as bigint) as last_second
from found
group by side
