-- Stretches in which a build that should have been heard was not: its feed failed, and silence is not health.
-- Grain: one row per build and gap; silent from from_second up to before until_second.
-- Reads: presence, builds, span
-- Feeds: judged_bins
with
presence as (select build, second, records from presence),

builds as (select build from builds),

span as (select end_second, heard_from_second from span),

-- The beginning counts as heard, by no record. What is asked of a slice lies more than an hour behind its beginning:
-- who is silent until then is in a gap, whenever its last record before was.
heard as (
    select
        build,
        second,
        records
    from presence
    union all
    select
        builds.build,
        span.heard_from_second - 1 as second,
        0 as records
    from builds
    cross join span
),

stretches as (
    select
        heard.build,
        heard.second + 1 as from_second,
        lead(heard.second, 1, span.end_second) over (
            partition by heard.build order by heard.second
        ) as until_second,
        sum(heard.records) over (
            partition by heard.build order by heard.second range between 3599 preceding and current row
        ) as hour_records
    from heard
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
