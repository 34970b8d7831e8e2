-- Which builds take part in a comparison of the settings: since when as its candidate, since when as a baseline.
-- Grain: one row per comparison and build; epoch seconds, NULL if it has no such part, year 1 if the settings name it.
-- Reads: builds, comparisons, exposure
-- Feeds: openings
with
comparisons as (select * from comparisons where baseline <> 'earlier'),

exposure as (select distinct build from exposure),

-- A baseline that has users and never sent an error takes part too.
known as (
    select build, family, version_rank, first_second, since_second, cast(epoch(last_second) as bigint) as last_second
    from builds
    union all
    select
        exposure.build, '' as family, 0 as version_rank, cast(null as timestamp) as first_second,
        cast(null as timestamp) as since_second, 253402300799 as last_second
    from exposure
    where
        exposure.build in (select comparisons.baseline from comparisons)
        and exposure.build not in (select builds.build from builds)
),

-- Two builds that the settings name are compared whatever their families and versions.
members as (
    select
        c.baseline, c.candidate, c.builds_like, b.build, b.last_second,
        case when c.baseline = 'previous' or c.candidate = 'latest' then b.family else '' end as family,
        case
            when c.baseline = 'previous' or c.candidate = 'latest' then b.version_rank
            when c.candidate = b.build then 1 else 0
        end as place,
        case
            when c.baseline = b.build then -62135596800
            when c.baseline = 'previous' and b.build like c.builds_like escape '!'
                then cast(epoch(b.since_second) as bigint)
        end as old_second,
        case
            when c.candidate = b.build and c.baseline <> 'previous' then -62135596800
            when c.candidate = b.build then cast(epoch(b.first_second) as bigint)
            when c.candidate = 'latest' and b.build like c.builds_like escape '!'
                then cast(epoch(b.since_second) as bigint)
        end as new_second
    from comparisons as c
    cross join known as b
)

-- A comparison opens with the first lower build of its family that is established.
select
    dense_rank() over (order by baseline, candidate, builds_like) as comparison_id, baseline, candidate, builds_like,
    build, family, place, last_second, old_second, new_second,
    case
        when new_second is not null
            then greatest(new_second, min(old_second) over (
                partition by baseline, candidate, builds_like, family
                order by place rows between unbounded preceding and 1 preceding
            ))
    end as opened_second
from members
where old_second is not null or new_second is not null
