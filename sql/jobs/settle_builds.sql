-- The second by which a build had sent enough records over enough time.
-- Each counter is at least one record, so no more of a build's earliest counters are needed than records.
update builds
set since_second = settled.since_second
from (
    with earliest as (
        select
            counters.build,
            min(counters.second) filter (counters.second >= unsettled.first_second + to_seconds($spanned))
                as spanned_second,
            arg_min({ second: counters.second, errors: counters.errors }, counters.second, $established) as counts
        from counters
        inner join unsettled
            on
                counters.build = unsettled.build
                and counters.second <= least(unsettled.until_second, unsettled.first_second + to_seconds($horizon))
        where counters.second >= $first_second and counters.second <= $last_second
        group by counters.build
    ),

    counts as (
        select build, spanned_second, unnest(counts).second as second, unnest(counts).errors as errors
        from earliest
    ),

    sums as (
        select build, spanned_second, second, sum(errors) over (partition by build order by second) as records
        from counts
    )

    select build, greatest(min(second), any_value(spanned_second)) as since_second
    from sums
    where records >= $established and spanned_second is not null
    group by build
) as settled
where builds.build = settled.build
returning builds.build
