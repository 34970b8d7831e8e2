-- What stands on a side of a comparison: a build, all builds of a pattern, or either as it was days before.
-- Grain: one row per side, with the epoch seconds of its first and last record.
-- Reads: builds, earlier
-- Feeds: pairs, gaps
with
builds as (select * from builds),

earlier as (select * from earlier),

found as (
    select build as side, family, epoch(first_second) as first_second, epoch(last_second) as last_second
    from builds where build not in (select earlier.side from earlier where earlier.lag_seconds > 0)
    union all
    select
        earlier.side, builds.family, epoch(builds.first_second) + earlier.lag_seconds as first_second,
        epoch(builds.last_second) + earlier.lag_seconds as last_second
    from earlier inner join builds on earlier.build = builds.build
)

select
    side, max(family) as family, cast(min(first_second) as bigint) as first_second,
    cast(max(last_second) as bigint) as last_second
from found
group by side
