-- Where the data begin and end, and the slice of time that is read: a job replaces this relation by its own slice.
-- Grain: one row; epoch seconds, the ends exclusive. NULL if no record was ever read.
-- Reads: builds, pruned
-- Feeds: gaps, bin_grids, fired
with
ends as (
    select
        cast(min(epoch(first_second)) as bigint) as first_second,
        cast(max(epoch(last_second)) as bigint) + 1 as end_second
    from builds
),

-- What retention has removed is excluded.
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
