-- The earliest time that a repair changed: counters of wrong_batches, or builds that differ from builds_before.
with builds_since as (
    select min(least(builds.first_second, before.first_second)) as since
    from builds
    full join builds_before as before using (build)
    where
        builds.version_rank is distinct from before.version_rank
        or builds.family is distinct from before.family
        or builds.first_second is distinct from before.first_second
        or builds.since_second is distinct from before.since_second
        or builds.last_second is distinct from before.last_second
),

moments as (
    select since from wrong_batches
    union all
    select since from builds_since
)

select min(since) as since from moments
