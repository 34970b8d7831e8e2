-- Comparisons of the settings whose candidate is the older build.
select baseline, candidate
from comparisons
inner join builds as olds on comparisons.baseline = olds.build
inner join builds as news on comparisons.candidate = news.build and olds.family = news.family
where olds.version_rank > news.version_rank
order by all
