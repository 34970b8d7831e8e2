-- All comparisons that ever opened: each candidate with the baseline that it had at the opening.
-- Grain: one row per comparison of the settings and candidate.
-- Reads: members, build_hours
-- Feeds: replacements, sides, pairs
with
candidates as (
    select
        comparison_id, family, build, place, opened_second, floor(opened_second / 3600) * 3600 as hour_second
    from members where opened_second is not null
),

hours as (select distinct comparison_id, family, hour_second from candidates),

-- For builds that are established by the end of the next hour: whether they sent in the hour of the opening or the one
-- before; their records of the day before, and those including that hour and the next.
sent as (
    select
        m.comparison_id, m.family, m.build, m.place, hours.hour_second,
        max(case when hours.hour_second - h.hour_second in (0, 3600) then 1 else 0 end) as is_alive,
        sum(case when h.hour_second < hours.hour_second then h.records else 0 end) as day_records,
        sum(coalesce(h.records, 0)) as records
    from members as m
    inner join hours on m.comparison_id = hours.comparison_id and m.family = hours.family
    left join build_hours as h
        on m.build = h.build and h.hour_second between hours.hour_second - 86400 and hours.hour_second + 3600
    where m.old_second < hours.hour_second + 7200 and m.last_second >= hours.hour_second - 604800
    group by m.comparison_id, m.family, m.build, m.place, hours.hour_second
),

sizes as (
    select
        comparison_id, family, hour_second, build, place, cast(null as bigint) as opened_second, row_number() over (
            partition by comparison_id, family, hour_second
            order by is_alive, floor(8 * ln(1 + day_records)), case when day_records = 0 then records end, place
        ) as size
    from sent
    union all
    select comparison_id, family, hour_second, build, place, opened_second, null as size
    from candidates
),

-- The largest of the lower builds. The candidate row sorts first, so a build is never its own baseline.
steps as (
    select
        comparison_id, family, hour_second, build, opened_second, max(size) over (
            partition by comparison_id, family, hour_second
            order by place asc, opened_second asc nulls last rows between unbounded preceding and current row
        ) as size
    from sizes
)

select m.baseline, m.candidate, m.builds_like, m.build as old_build, steps.build as new_build, steps.opened_second
from steps
inner join sizes using (comparison_id, family, hour_second, size)
inner join members as m on steps.comparison_id = m.comparison_id and sizes.build = m.build
where steps.opened_second is not null
