-- Complete such builds from the remaining counters: since when they can be compared, and their last record.
update builds_before as old
set
    since_second = case when old.since_second < $kept_from then old.since_second else builds.since_second end,
    last_second = coalesce(builds.last_second, least(old.last_second, $kept_from::timestamp - interval 1 second))
from (select build from builds_before) as all_builds
left join builds using (build)
where all_builds.build = old.build
