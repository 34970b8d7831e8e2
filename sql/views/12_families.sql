-- When each family of builds was busy last: an hour with a tenth of the records of the day before, and 20.
-- Grain: one row per family with such an hour; busy_second: when it begins. Few clocks that are ahead make none.
-- Reads: builds, build_hours
-- Feeds: pairs
with
hours as (
    select
        builds.family, build_hours.hour_second, sum(build_hours.records) as records,
        avg(sum(build_hours.records)) over (
            partition by builds.family order by build_hours.hour_second rows between 24 preceding and 1 preceding
        ) as usual_records
    from build_hours inner join builds on build_hours.build = builds.build
    group by builds.family, build_hours.hour_second
)

select family, max(hour_second) as busy_second
from hours
where records >= 20 and 10 * records >= coalesce(usual_records, 0)
group by family
