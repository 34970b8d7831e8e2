-- Where the data begin and end, and which stretch of it is looked at: a job puts its slice in place of this relation.
-- Grain: one row; epoch seconds, the ends exclusive. None where no record was ever read.
-- Reads: builds, pruned
-- Feeds: gaps, bin_grids, fired
with
ends as (
    select
        cast(min(epoch(first_second)) as bigint) as first_second,
        cast(max(epoch(last_second)) as bigint) + 1 as end_second
    from builds
),

-- What retention has removed is no part of it.
horizons as (
    select cast(max(floor(epoch(before_ts))) as bigint) as first_second from pruned where relation = 'counters'
),

kept as (
    select greatest(e.first_second, coalesce(h.first_second, e.first_second)) as first_second, e.end_second
    from ends as e cross join horizons as h where e.first_second is not null
)

select
    first_second, end_second, first_second as presence_from_second, first_second as slice_from_second,
    end_second as slice_until_second
from kept
