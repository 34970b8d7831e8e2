-- Builds that the settings name and that have sent no record: a baseline with given users does not count.
with named as (
    select baseline as build, 'comparison' as section from comparisons where baseline not in ('previous', 'earlier')
    union
    select candidate as build, 'comparison' as section
    from comparisons where candidate <> 'latest' and baseline <> 'earlier'
    union
    select build, 'exposure' as section from exposure
),

missing as (
    select section, build
    from named
    anti join builds using (build)
    where
        build not in (select exposure.build from exposure)
        or build not in (select comparisons.baseline from comparisons)
)

select
    missing.section, missing.build,
    coalesce(
        '; did you mean '''
        || max_by(builds.build, (jaro_winkler_similarity(builds.build, missing.build), builds.build))
        || '''?',
        ''
    ) as hint
from missing
left join builds on jaro_winkler_similarity(builds.build, missing.build) >= 0.7
group by missing.section, missing.build
order by all
