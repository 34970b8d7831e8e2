-- Which bins count (the pair has a place, and no build is in a gap), and which of these are complete and judged.
-- Grain: one row per rule, pair and bin of the grid; past_bins: the number of bins that count, up to this one.
-- Reads: bin_grids, presence, pairs, gaps, places
-- Feeds: estimates, bins, suspects, regressions
with
sides as (
    select distinct rule, bin_seconds, pair_id, baseline as build from bin_grids
    union all
    select distinct rule, bin_seconds, pair_id, candidate as build from bin_grids
),

active_bins as (
    select
        s.rule, s.pair_id, floor(p.second / s.bin_seconds) * s.bin_seconds as bin_second,
        count(distinct p.second) as active_seconds
    from presence as p inner join sides as s on p.build = s.build
    group by s.rule, s.pair_id, floor(p.second / s.bin_seconds) * s.bin_seconds
),

-- A gap after few errors does not count if the users of both builds are given: the silent build is healthy.
silent_bins as (
    select distinct b.rule, b.pair_id, b.bin_second
    from bin_grids as b
    inner join gaps
        on
            (b.baseline = gaps.build or b.candidate = gaps.build)
            and b.bin_second + b.bin_seconds > gaps.from_second and b.bin_second < gaps.until_second
    inner join pairs as p on b.pair_id = p.pair_id
    where not gaps.is_rare or p.users_known_second is null or b.bin_second < p.users_known_second
),

weighed_bins as (
    select
        b.rule, b.detector, b.bin_seconds, b.pair_id, b.baseline, b.candidate, b.bin_second,
        coalesce(active_bins.active_seconds, 0) as active_seconds, silent_bins.bin_second is null
        and coalesce(places.is_compared, true) and b.bin_second + b.bin_seconds > p.from_second as is_weighed,
        b.bin_second + b.bin_seconds > p.opened_second
        and b.bin_second + b.bin_seconds <= p.judged_until_second as is_complete
    from bin_grids as b
    left join silent_bins using (rule, pair_id, bin_second)
    left join active_bins using (rule, pair_id, bin_second)
    inner join pairs as p on b.pair_id = p.pair_id
    left join places on b.pair_id = places.pair_id and floor(b.bin_second / 600) * 600 = places.block_second
)

select
    rule, detector, bin_seconds, pair_id, baseline, candidate, bin_second, active_seconds, is_weighed,
    is_weighed and is_complete as is_judged, count(case when is_weighed then 1 end) over by_bin as past_bins
from weighed_bins window by_bin as (partition by rule, pair_id order by bin_second)
