-- The sides of comparisons: a build, all builds of a pattern, or one of these lag_seconds before.
-- Grain: one row per side and build that it consists of, with that build's first and last record (NULL if none).
-- Reads: builds, openings, earlier
-- Feeds: pairs, side_codes, side_counters, gaps
with
made as (
    select build as side, build, 0 as lag_seconds
    from builds where build not in (select earlier.side from earlier where earlier.lag_seconds > 0)
    union distinct
    select side, build, lag_seconds from earlier
    union distinct
    select old_build as side, old_build as build, 0 as lag_seconds
    from openings where old_build not in (select builds.build from builds)
)

select
    m.side, m.build, m.lag_seconds, coalesce(b.family, '') as family,
    cast(epoch(b.first_second) as bigint) + m.lag_seconds as first_second,
    cast(epoch(b.last_second) as bigint) + m.lag_seconds as last_second
from made as m left join builds as b on m.build = b.build
