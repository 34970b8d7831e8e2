-- When each build, and each other side of a comparison, first sent a code; and in which of 256 groups it counts.
-- Grain: one row per build or side and code, with the epoch second of its first record.
-- Reads: codes, earlier
-- Feeds: estimates
with
-- Of what retention has removed only that it was sent is known.
codes as (select build, code, coalesce(epoch(first_second), -62135596800) as first_second from codes),

earlier as (select distinct side, build, lag_seconds from earlier),

found as (
    select build as side, code, first_second
    from codes where build not in (select earlier.side from earlier where earlier.lag_seconds > 0)
    union all
    select earlier.side, codes.code, codes.first_second + earlier.lag_seconds as first_second
    from codes inner join earlier on codes.build = earlier.build
)

select side, code, cast(min(first_second) as bigint) as first_second, substr(md5(code), 1, 2) as code_group
from found
group by side, code
