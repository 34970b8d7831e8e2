-- Where the data begin and end, and which stretch of it is looked at: a job puts its slice in place of this relation.
-- Grain: one row; epoch seconds, the ends exclusive. None where no record was ever read.
-- Reads: builds
-- Feeds: candidates, gaps, bin_grids, fired
with
builds as (select first_second, last_second from builds),

ends as (
    select
        cast(min(epoch(first_second)) as bigint) as first_second,
        cast(max(epoch(last_second)) as bigint) + 1 as end_second
    from builds
)

select
    first_second,
    end_second,
    first_second as heard_from_second,
    first_second as slice_from_second,
    end_second as slice_until_second
from ends
where first_second is not null
