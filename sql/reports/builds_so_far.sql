-- How many records each build has sent, and whether it takes part in comparisons; in the order of builds.
select
    builds.build, cast(coalesce(sum(build_hours.records), 0) as bigint) as records,
    builds.since_second is not null as is_established
from builds
left join build_hours using (build)
group by builds.build, builds.version_rank, builds.since_second
order by builds.version_rank
