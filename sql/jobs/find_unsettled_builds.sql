-- Builds whose since_second may change: those with new records before it. Later records do not change it.
create or replace temp table unsettled as
select builds.build, builds.first_second, coalesce(builds.since_second, builds.last_second) as until_second
from builds
where
    builds.build in (select build from arrived)
    and (
        builds.since_second is null
        or builds.since_second > (select min(arrived.first_second) from arrived where arrived.build = builds.build)
    )
