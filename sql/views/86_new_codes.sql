-- Codes that the candidate of a comparison has sent and its baseline has not, and that no incident reports.
-- Grain: one row per baseline, candidate and code.
-- Reads: codes, pairs, alerts
-- Feeds: people
with
-- Each current alert belongs to an incident, open or resolved.
alerts as (select * from alerts where state = 'current')

select
    p.baseline, p.candidate, news.code, news.first_second as first_ts, cast(0 as bigint) as baseline_errors,
    news.errors as candidate_errors, news.seconds as candidate_seconds
from pairs as p
inner join codes as news on p.candidate = news.build
left join codes as olds on p.baseline = olds.build and news.code = olds.code
left join alerts as a on p.baseline = a.baseline and p.candidate = a.candidate and news.code = a.code
where p.lag_seconds = 0 and olds.build is null and a.code is null
