-- Which builds are compared, since when, and how far: up to the earlier of their latest records, less the lateness.
-- Grain: one row per baseline and candidate; it rules the bins that end in (from_second, until_second], first to last.
-- Reads: builds, build_hours, comparisons, settings, openings
-- Feeds: scopes, places, pair_steps, estimates, bin_grids, judged_bins, shares, new_codes
with
builds as (select * from builds),

build_hours as (select * from build_hours),

comparisons as (select * from comparisons),

settings as (select * from settings),

openings as (select * from openings),

-- An hour in which a family is busy has a tenth of the records of the day before: few clocks that are ahead make none.
hours as (
    select
        builds.family, build_hours.hour_second, sum(build_hours.records) as records,
        avg(sum(build_hours.records)) over (
            partition by builds.family order by build_hours.hour_second rows between 24 preceding and 1 preceding
        ) as usual_records
    from build_hours inner join builds on build_hours.build = builds.build
    group by builds.family, build_hours.hour_second
),

families as (
    select family, max(hour_second) as busy_second
    from hours where records >= 20 and 10 * records >= coalesce(usual_records, 0) group by family
),

pairs as (
    select
        o.old_build as baseline, o.new_build as candidate, max(news.family) as family, max(c.exposure) as exposure,
        max(c.exposure_tolerance) as exposure_tolerance, min(o.opened_second) as opened_second,
        cast(max(epoch(greatest(olds.first_second, news.first_second))) as bigint) as both_second,
        cast(max(epoch(least(olds.last_second, news.last_second))) as bigint) as heard_second
    from openings as o
    inner join comparisons as c
        on o.baseline = c.baseline and o.candidate = c.candidate and o.builds_like = c.builds_like
    inner join builds as olds on o.old_build = olds.build
    inner join builds as news on o.new_build = news.build
    group by o.old_build, o.new_build
)

-- A build has gone where its family is busy an hour after its last record, and its comparisons with it.
select
    row_number() over (order by p.baseline, p.candidate) as pair_id, p.baseline, p.candidate, p.family, p.exposure,
    p.exposure_tolerance, p.opened_second = -62135596800 as is_named, p.opened_second,
    case when p.opened_second = -62135596800 then p.opened_second else p.both_second end as from_second,
    coalesce(p.heard_second + 3600 >= families.busy_second, true) as is_current,
    case when p.heard_second + 3600 < families.busy_second then p.heard_second + 3601 else 253402300799 end
        as until_second,
    p.heard_second - settings.lateness_seconds as complete_until_second,
    case when settings.is_final then 253402300799 else p.heard_second - settings.lateness_seconds end
        as judged_until_second
from pairs as p
cross join settings
left join families on p.family = families.family
