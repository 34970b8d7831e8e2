-- Which builds are compared, since when, and how far: to the earlier of their latest records, minus the lateness.
-- Grain: one row per baseline and candidate; it is judged in the bins that end in (from_second, until_second].
-- Reads: comparisons, settings, exposure, openings, families, earlier, sides
-- Feeds: scopes, places, pair_steps, bin_grids, judged_bins, estimates, shares, new_codes
with
exposure as (select build, cast(min(floor(epoch(since_ts))) as bigint) as since_second from exposure group by build),

-- From users_known_second on, a silent build is healthy for up to a week, because the users of both are given.
compared as (
    select
        o.old_build as baseline, o.new_build as candidate, o.opened_second, c.exposure, c.exposure_tolerance,
        0 as lag_seconds, 1 as min_ratio, case
            when c.exposure = 'given' and older.since_second > newer.since_second then older.since_second
            when c.exposure = 'given' and older.since_second is not null then newer.since_second
        end as users_known_second
    from openings as o
    inner join comparisons as c
        on o.baseline = c.baseline and o.candidate = c.candidate and o.builds_like = c.builds_like
    left join exposure as older on o.old_build = older.build
    left join exposure as newer on o.new_build = newer.build
    union all
    select
        baseline, candidate, opened_second, exposure, exposure_tolerance, lag_seconds, min_ratio,
        null as users_known_second
    from earlier
),

pairs as (
    select
        c.baseline, c.candidate, max(newer.family) as family, max(c.exposure) as exposure,
        max(c.exposure_tolerance) as exposure_tolerance, max(c.lag_seconds) as lag_seconds,
        max(c.min_ratio) as min_ratio, min(c.opened_second) as opened_second,
        greatest(min(older.first_second), min(newer.first_second)) as begun_second,
        max(older.last_second) as baseline_last_second, max(newer.last_second) as candidate_last_second,
        max(c.users_known_second) as users_known_second, case
            when max(c.users_known_second) is null then least(max(older.last_second), max(newer.last_second))
            else least(
                greatest(max(older.last_second), max(newer.last_second)),
                least(max(older.last_second), max(newer.last_second)) + 604800
            )
        end as received_second
    from compared as c
    inner join sides as older on c.baseline = older.side
    inner join sides as newer on c.candidate = newer.side
    group by c.baseline, c.candidate
)

-- A build is gone if its family is busy an hour after its last record; then its comparisons end.
select
    row_number() over (order by p.baseline, p.candidate) as pair_id, p.baseline, p.candidate, p.family, p.lag_seconds,
    p.min_ratio, p.exposure, p.exposure_tolerance,
    p.exposure = 'estimated' or (p.exposure = 'given' and p.opened_second > -62135596800) as is_estimated,
    p.opened_second = -62135596800 as is_named, p.opened_second, p.begun_second, p.baseline_last_second,
    p.candidate_last_second, p.users_known_second,
    case when p.opened_second = -62135596800 and p.lag_seconds = 0 then p.opened_second else p.begun_second end
        as from_second,
    coalesce(p.received_second + 3600 >= families.busy_second, true) as is_current,
    case when p.received_second + 3600 < families.busy_second then p.received_second + 3601 else 253402300799 end
        as until_second,
    p.received_second - settings.lateness_seconds as complete_until_second,
    case when settings.is_final then 253402300799 else p.received_second - settings.lateness_seconds end
        as judged_until_second
from pairs as p cross join settings left join families on p.family = families.family
