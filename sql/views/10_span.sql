-- Where the data begin and end, and which stretch of it is looked at: a job puts its slice in place of this relation.
-- Grain: one row; epoch seconds, the ends exclusive. None where no record was ever read.
-- Reads: builds, pruned
-- Feeds: gaps, bin_grids, fired
with
-- What retention has removed is no part of it.
pruned as (select before_ts from pruned where relation = 'counters'),

ends as (
    select
        cast(min(epoch(first_second)) as bigint) as first_second,
        cast(max(epoch(last_second)) as bigint) + 1 as end_second
    from builds
),

horizon as (select cast(max(floor(epoch(before_ts))) as bigint) as kept_from_second from pruned),

kept as (
    select
        greatest(ends.first_second, coalesce(horizon.kept_from_second, ends.first_second)) as first_second,
        ends.end_second
    from ends
    cross join horizon
    where ends.first_second is not null
)

select
    first_second,
    end_second,
    first_second as heard_from_second,
    first_second as slice_from_second,
    end_second as slice_until_second
from kept
