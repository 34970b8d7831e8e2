-- How many distinct clients have sent the code of each incident since its onset, on each side. A side is NULL if that
-- is unknown: it has records but no client; retention has removed records since the onset; or the side is an earlier
-- day, which is not read.
-- Parameters: $incidents, JSON (until_ts: the end, NULL while it is open), and $since, a literal: the first onset.
with changed as (
    select
        unnest(
            from_json_strict($incidents, '[{
                "incident_id": "BIGINT", "baseline": "VARCHAR", "candidate": "VARCHAR", "code": "VARCHAR",
                "start_ts": "TIMESTAMP", "until_ts": "TIMESTAMP"
            }]'), recursive := true
        )
),

kept as (select max(before_ts) as from_ts from pruned where relation = 'events'),

senders as (
    select changed.*, roles.is_candidate, sides.build
    from changed
    cross join (values (false), (true)) as roles (is_candidate)
    inner join sides on sides.side = if(roles.is_candidate, changed.candidate, changed.baseline)
    cross join kept
    where sides.lag_seconds = 0 and coalesce(changed.start_ts >= kept.from_ts, true)
),

sent as (
    select senders.incident_id, senders.is_candidate, events.client
    from senders
    inner join events on senders.build = events.build and senders.code = events.code
    where
        events.ts >= $since
        and events.ts >= senders.start_ts
        and (senders.until_ts is null or events.ts < senders.until_ts)
    group by senders.incident_id, senders.is_candidate, events.client
),

known as (
    select
        counted.incident_id,
        counted.is_candidate,
        if(count(sent.incident_id) = 0, 0, nullif(count(sent.client), 0)) as clients
    from (select distinct incident_id, is_candidate from senders) as counted
    left join sent on counted.incident_id = sent.incident_id and counted.is_candidate = sent.is_candidate
    group by counted.incident_id, counted.is_candidate
)

select
    incident_id,
    max(clients) filter (not is_candidate) as baseline,
    max(clients) filter (is_candidate) as candidate
from known
group by incident_id
having max(clients) > 0
