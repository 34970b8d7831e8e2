-- Which bins count: the pair has a place there and both builds sent records; which of them are complete and judged.
-- Grain: one row per rule, pair and bin of the grid; past_bins: how many bins have counted, up to this one.
-- Reads: bin_grids, presence, pairs, gaps, places
-- Feeds: estimates, bins, suspects, regressions
with
places as (select * from places where not is_compared),

sides as (
    select distinct rule, bin_seconds, pair_id, baseline as build from bin_grids
    union all
    select distinct rule, bin_seconds, pair_id, candidate as build from bin_grids
),

active_bins as (
    select
        sides.rule, sides.pair_id, floor(presence.second / sides.bin_seconds) * sides.bin_seconds as bin_second,
        count(distinct presence.second) as active_seconds
    from presence inner join sides on presence.build = sides.build
    group by sides.rule, sides.pair_id, floor(presence.second / sides.bin_seconds) * sides.bin_seconds
),

silent_bins as (
    select distinct bin_grids.rule, bin_grids.pair_id, bin_grids.bin_second
    from bin_grids
    inner join gaps
        on
            (bin_grids.baseline = gaps.build or bin_grids.candidate = gaps.build)
            and bin_grids.bin_second + bin_grids.bin_seconds > gaps.from_second
            and bin_grids.bin_second < gaps.until_second
    inner join pairs on bin_grids.pair_id = pairs.pair_id
    -- Of builds that have users and send few errors silence is health.
    where not gaps.is_rare or pairs.told_second is null or bin_grids.bin_second < pairs.told_second
),

weighed_bins as (
    select
        bin_grids.rule, bin_grids.detector, bin_grids.bin_seconds, bin_grids.pair_id, bin_grids.baseline,
        bin_grids.candidate, bin_grids.bin_second, coalesce(active_bins.active_seconds, 0) as active_seconds,
        silent_bins.bin_second is null and places.block_second is null
        and bin_grids.bin_second + bin_grids.bin_seconds > pairs.from_second as is_weighed,
        bin_grids.bin_second + bin_grids.bin_seconds > pairs.opened_second
        and bin_grids.bin_second + bin_grids.bin_seconds <= pairs.judged_until_second as is_complete
    from bin_grids
    left join silent_bins using (rule, pair_id, bin_second)
    left join active_bins using (rule, pair_id, bin_second)
    inner join pairs on bin_grids.pair_id = pairs.pair_id
    left join places
        on bin_grids.pair_id = places.pair_id and floor(bin_grids.bin_second / 600) * 600 = places.block_second
)

select
    rule, detector, bin_seconds, pair_id, baseline, candidate, bin_second, active_seconds, is_weighed,
    is_weighed and is_complete as is_judged, count(case when is_weighed then 1 end) over by_bin as past_bins
from weighed_bins window by_bin as (partition by rule, pair_id order by bin_second)
