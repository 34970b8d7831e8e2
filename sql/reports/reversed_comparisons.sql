-- Comparisons of the settings whose candidate is the older build.
select baseline, candidate
from comparisons
inner join builds as older on comparisons.baseline = older.build
inner join builds as newer on comparisons.candidate = newer.build and older.family = newer.family
where older.version_rank > newer.version_rank
order by all
