-- Builds that the settings name and that have sent no record: a baseline with given users does not count.
with named as (
    select baseline as build, 'comparison' as section from comparisons where baseline not in ('previous', 'earlier')
    union
    select candidate as build, 'comparison' as section
    from comparisons where candidate <> 'latest' and baseline <> 'earlier'
    union
    select build, 'exposure' as section from exposure
)

select section, build
from named
anti join builds using (build)
where build not in (select exposure.build from exposure) or build not in (select comparisons.baseline from comparisons)
order by all
