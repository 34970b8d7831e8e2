-- Codes that the candidate of a comparison has sent and its baseline has not, and that no incident reports.
-- Grain: one row per baseline, candidate and code.
-- Reads: codes, pairs, alerts
-- Feeds: people
with
pairs as (select baseline, candidate from pairs where lag_seconds = 0),

-- Each current alert belongs to an incident, open or resolved.
alerts as (select distinct baseline, candidate, code from alerts where state = 'current')

select
    pairs.baseline,
    pairs.candidate,
    news.code,
    news.first_second as first_ts,
    cast(0 as bigint) as baseline_errors,
    news.errors as candidate_errors,
    news.seconds as candidate_seconds
from pairs
inner join codes as news on pairs.candidate = news.build
left join codes as olds on pairs.baseline = olds.build and news.code = olds.code
left join alerts
    on pairs.baseline = alerts.baseline and pairs.candidate = alerts.candidate and news.code = alerts.code
where olds.build is null and alerts.code is null
