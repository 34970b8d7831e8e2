-- For a day: then it is what is usual of this build.
select pairs.baseline, pairs.candidate
from pairs
inner join builds as olds on pairs.baseline = olds.build
inner join builds as news on pairs.candidate = news.build
where
    not pairs.is_named
    and olds.last_second < news.first_second + interval 1 hour
    and olds.last_second < news.last_second - interval 10 minutes
    and news.first_second > (select max(last_second) from builds) - interval 1 day
order by news.version_rank, pairs.baseline
