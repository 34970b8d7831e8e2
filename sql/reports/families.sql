-- For each family the highest builds that can be compared; families with the latest records first.
select
    family, list_reverse(max_by(build, version_rank, $most)) as builds, count(*) as known,
    list(build order by version_rank) filter (ordered_by = 'first_seen') as unread,
    (select any_value(builds_order) from settings) as builds_order
from builds
where since_second is not null
group by family
order by max(last_second) desc, family
