-- Stretches in which a build that should have been heard was not: its feed failed, and silence is not health.
-- Grain: one row per build and gap; from_second is the first silent second, until_second the first that is heard again.
-- Reads: presence, span
-- Feeds: judged_bins
with
presence as (select build, second, records from presence),

span as (select end_second from span),

stretches as (
    select
        presence.build,
        presence.second + 1 as from_second,
        lead(presence.second, 1, span.end_second) over (
            partition by presence.build order by presence.second
        ) as until_second,
        sum(presence.records) over (
            partition by presence.build order by presence.second range between 3599 preceding and current row
        ) as hour_records
    from presence
    cross join span
)

-- 20 records were to be expected at the mean rate of the hour before, or an hour has passed.
select
    build,
    from_second,
    until_second
from stretches
where
    (until_second - from_second) * hour_records >= 20 * 3600
    or until_second - from_second > 3600
