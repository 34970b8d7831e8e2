-- When each family was last busy: an hour with 20 records or more, and a tenth of the mean of the 24 hours before.
-- Grain: one row per family with such an hour; busy_second: its beginning. Few records from wrong clocks make none.
-- Reads: builds, build_hours
-- Feeds: pairs
with
hours as (
    select
        b.family, h.hour_second, sum(h.records) as records, avg(sum(h.records)) over (
            partition by b.family order by h.hour_second rows between 24 preceding and 1 preceding
        ) as usual_records
    from build_hours as h inner join builds as b on h.build = b.build group by b.family, h.hour_second
)

select family, max(hour_second) as busy_second
from hours where records >= 20 and 10 * records >= coalesce(usual_records, 0) group by family
