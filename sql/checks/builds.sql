-- Builds whose first, last or established second, and hours whose records, are not those of their counters. A build
-- counts once $established records of it span $spanned seconds. Removed counters are not compared.
with limits as (select $established as records, $spanned as seconds),

counted as (
    select
        c.build, min(c.second) as first_second, max(c.second) as last_second, sum(c.errors) as records,
        coalesce(sum(c.errors) filter (c.second < b.since_second), 0) as before,
        sum(c.errors) filter (c.second <= b.since_second) as until,
        min(c.second) filter (c.second >= b.first_second + to_seconds(limits.seconds)) as spanned_second
    from counters as c cross join limits
    left join builds as b on c.build = b.build
    group by c.build
),

hours as (
    select
        build, cast(floor(epoch(second) / 3600) as bigint) * 3600 as hour_second,
        cast(sum(errors) as bigint) as records
    from counters
    group by build, hour_second
)

select format('build {}: first, last or established second are not those of its counters', build) as what
from builds
full join counted using (build)
cross join limits
where
    not exists (select 1 from removed where removed.counters > 0)
    and (
        builds.first_second is distinct from counted.first_second
        or builds.last_second is distinct from counted.last_second
        or (builds.since_second is null and counted.records >= limits.records and counted.spanned_second is not null)
        or not coalesce(
            builds.since_second >= counted.spanned_second and counted.until >= limits.records
            and (builds.since_second = counted.spanned_second or counted.before < limits.records),
            builds.since_second is null
        )
    )
union all
select
    format('build {}: its records in the hour from epoch second {} are not those counted', build, hour_second) as what
from build_hours
full join hours using (build, hour_second)
where
    not exists (select 1 from removed where removed.counters > 0)
    and build_hours.records is distinct from hours.records
