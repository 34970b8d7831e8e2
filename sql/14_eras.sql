-- The stretches between the moments at which a build established itself; in each of them the same builds compete.
-- Grain: one row per era; it covers the bins that end in (from_second, until_second].
-- Reads: builds, span
-- Feeds: candidates
with
builds as (select since_second from builds where since_second is not null),

span as (select slice_from_second, slice_until_second from span),

-- Before the first build established itself only builds that are named can be compared: hence year 1, and year 9999.
starts as (
    select distinct cast(epoch(since_second) as bigint) as from_second from builds
    union all
    select cast(-62135596800 as bigint) as from_second
),

eras as (
    select
        from_second,
        lead(from_second, 1, 253402300799) over (order by from_second) as until_second
    from starts
)

select
    eras.from_second,
    eras.until_second
from eras
inner join span on eras.until_second >= span.slice_from_second and eras.from_second < span.slice_until_second
