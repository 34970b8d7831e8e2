-- Insert builds with their first record; their order is set later. Reads `arrived`. Returns the new builds.
insert into builds
select
    build, 0 as version_rank, min(first_second) as first_second, null as since_second, max(last_second) as last_second,
    '' as family, 'first_seen' as ordered_by
from arrived
where build not in (select build from builds)
group by build
returning build
