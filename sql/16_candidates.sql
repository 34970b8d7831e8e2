-- The candidate of every comparison in every era, and the builds that could be its baseline.
-- Grain: one row per comparison, era and build.
-- Reads: builds, comparisons, eras
-- Feeds: pairs
with
builds as (select build, version_rank, since_second from builds),

comparisons as (select baseline, candidate, builds_like from comparisons),

eras as (select from_second, until_second from eras),

contenders as (
    select
        comparisons.baseline,
        comparisons.candidate,
        comparisons.builds_like,
        eras.from_second,
        eras.until_second,
        builds.build,
        builds.version_rank,
        coalesce(epoch(builds.since_second) <= eras.from_second, false)
        and builds.build like comparisons.builds_like escape '!' as is_established
    from comparisons
    cross join eras
    cross join builds
)

select
    baseline,
    candidate,
    builds_like,
    from_second,
    until_second,
    build,
    version_rank,
    is_established,
    max(case when candidate = 'latest' and is_established or candidate = build then version_rank end)
        over (partition by baseline, candidate, builds_like, from_second)
        as candidate_rank
from contenders
