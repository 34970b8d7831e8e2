-- Codes that the candidate of a comparison has sent, but its baseline has not, and that are in no incident.
-- Grain: one row per baseline, candidate and code.
-- Reads: codes, pairs, alerts
-- Feeds: people
with
-- Each current alert belongs to an incident, open or resolved.
alerts as (select * from alerts where state = 'current')

select
    p.baseline, p.candidate, newer.code, newer.first_second as first_ts, cast(0 as bigint) as baseline_errors,
    newer.errors as candidate_errors, newer.seconds as candidate_seconds
from pairs as p
inner join codes as newer on p.candidate = newer.build
left join codes as older on p.baseline = older.build and newer.code = older.code
left join alerts as a on p.baseline = a.baseline and p.candidate = a.candidate and newer.code = a.code
where p.lag_seconds = 0 and older.build is null and a.code is null
