-- Builds with blanks at their ends, which are other builds than the same without them: the first one, and how many more
-- there are. Only builds with records within the newest day, so that the warning ends after the feed is corrected.
with spaced as (
    select build, trim(build, ' ' || chr(9)) as trimmed
    from builds
    where
        build <> trim(build, ' ' || chr(9))
        and epoch(last_second) > (select max(epoch(newest.last_second)) from builds as newest) - 86400
)

select
    min(build) as build, arg_min(trimmed, build) as trimmed,
    case when count(*) > 1 then format(' (and {:,} more)', count(*) - 1) else '' end as more
from spaced
having count(*) > 0
