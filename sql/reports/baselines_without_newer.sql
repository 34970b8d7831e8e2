-- Baselines that the settings name, of whose family older builds are sent and no newer one is.
select olds.build
from comparisons
inner join builds as olds on comparisons.baseline = olds.build
inner join builds as others on olds.family = others.family and olds.build <> others.build
where comparisons.candidate = 'latest' and others.since_second is not null
group by olds.build
having max(others.version_rank) < max(olds.version_rank)
order by olds.build
