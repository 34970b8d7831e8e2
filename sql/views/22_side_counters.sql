-- What each build and each other side of a comparison sent: the counters, at the time that they stand for.
-- Grain: one row per build or side, second (epoch), code and batch.
-- Reads: counters, earlier
-- Feeds: presence, pair_steps
with
counters as (select build, cast(floor(epoch(second)) as bigint) as second, code, errors from counters),

earlier as (select distinct side, build, lag_seconds from earlier),

found as (
    select build, second, code, errors
    from counters where build not in (select earlier.side from earlier where earlier.lag_seconds > 0)
    union all
    select earlier.side as build, counters.second + earlier.lag_seconds as second, counters.code, counters.errors
    from counters inner join earlier on counters.build = earlier.build
)

select build, second, code, errors
from found
