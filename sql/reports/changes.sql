-- Differences between the tables incidents_before and incidents_now, which have the incidents that end at or after
-- epoch second $since, oldest first. An incident that began before $since and is only in the second table was reopened.
-- Worse: the ratio, or for rules of means the mean over its threshold, has doubled once more since the first alert, so
-- that a slow rise is reported, but not at every step. Evidence would not do: it grows while nothing gets worse. The
-- highest ratio of all alerts counts, because the ratio at the peak varies. A build is gone if its family was busy an
-- hour after its last record; until_second is that time.
with changed as (
    select
        case
            when before.incident_id is null and epoch(after.opened_ts) < $since then 'reopened'
            when before.incident_id is null then 'opened'
            when after.incident_id is null then 'withdrawn'
            when before.state = 'open' and after.state <> 'open' then after.state
            when before.state <> 'open' and after.state = 'open' then 'reopened'
            when
                before.state <> 'open' and epoch(after.end_ts) > epoch(before.end_ts) + settings.merge_seconds
                then 'reopened'
            when after.doublings > before.doublings then 'worse'
        end as change,
        case when after.incident_id is null then before else after end as incident
    from incidents_before as before
    full join incidents_now as after using (incident_id)
    cross join settings
    where change is not null
),

ended as (
    select baseline, candidate, baseline as build, baseline_last_second as last_second, until_second
    from pairs where not is_current
    union all
    select baseline, candidate, candidate as build, candidate_last_second as last_second, until_second
    from pairs where not is_current
),

departures as (
    select
        baseline, candidate, array_agg(
            struct_pack(build := build, last_ts := make_timestamp(last_second * 1000000)) order by last_second
        ) as gone
    from ended
    where last_second < until_second - 3600
    group by baseline, candidate
)

select
    changed.change, changed.incident, case when changed.change = 'reopened' then changed.incident.again end as again,
    cast(epoch(changed.incident.opened_ts) - pairs.begun_second as bigint) as comparison_seconds,
    case when changed.change = 'superseded' then coalesce(departures.gone, []) end as gone
from changed
left join pairs on changed.incident.baseline = pairs.baseline and changed.incident.candidate = pairs.candidate
left join departures on pairs.baseline = departures.baseline and pairs.candidate = departures.candidate
order by changed.incident.start_ts, changed.incident.incident_id
