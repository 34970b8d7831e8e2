-- The candidate of every comparison in every era, and the builds that could be its baseline.
-- Grain: one row per comparison, era and build; an era lies between two moments at which a build established itself.
-- Reads: builds, comparisons, span
-- Feeds: pairs
with
builds as (select build, version_rank, since_second from builds),

comparisons as (select baseline, candidate, builds_like, exposure, exposure_tolerance from comparisons),

span as (select slice_from_second, slice_until_second from span),

-- Before the first build established itself only builds that are named can be compared: hence year 1, and year 9999.
starts as (
    select distinct cast(epoch(since_second) as bigint) as from_second
    from builds
    where since_second is not null
    union all
    select cast(-62135596800 as bigint) as from_second
),

eras as (
    select from_second, lead(from_second, 1, 253402300799) over (order by from_second) as until_second
    from starts
),

contenders as (
    select
        comparisons.baseline, comparisons.candidate, comparisons.builds_like, comparisons.exposure,
        comparisons.exposure_tolerance, eras.from_second, eras.until_second, builds.build, builds.version_rank,
        coalesce(epoch(builds.since_second) <= eras.from_second, false)
        and builds.build like comparisons.builds_like escape '!' as is_established
    from comparisons
    cross join eras
    inner join span on eras.until_second >= span.slice_from_second and eras.from_second < span.slice_until_second
    cross join builds
)

select
    baseline, candidate, builds_like, exposure, exposure_tolerance, from_second, until_second, build, version_rank,
    is_established,
    max(case when candidate = 'latest' and is_established or candidate = build then version_rank end)
        over (partition by baseline, candidate, builds_like, from_second)
        as candidate_rank
from contenders
