-- The errors of both builds of a comparison side by side, wherever either of them sent a code.
-- Grain: one row per pair, code and second.
-- Reads: counters, pairs, rules
-- Feeds: tallies
with
counters as (select second, build, code, errors from counters),

pairs as (select pair_id, baseline, candidate, from_second, until_second from pairs),

-- A window that ends in a pair's first bin looks back before it.
reach as (select max((window_bins + 1) * bin_seconds) as reach_seconds from rules),

spans as (
    select
        pairs.pair_id,
        pairs.baseline,
        pairs.candidate,
        pairs.from_second - reach.reach_seconds as from_second,
        pairs.until_second
    from pairs
    cross join reach
),

sides as (
    select pair_id, from_second, until_second, baseline as build, 1 as baseline_side, 0 as candidate_side from spans
    union all
    select pair_id, from_second, until_second, candidate as build, 0 as baseline_side, 1 as candidate_side from spans
)

select
    sides.pair_id,
    counters.code,
    cast(floor(epoch(counters.second)) as bigint) as second,
    cast(sum(counters.errors * sides.baseline_side) as bigint) as baseline_errors,
    cast(sum(counters.errors * sides.candidate_side) as bigint) as candidate_errors
from counters
inner join sides
    on
        counters.build = sides.build
        and epoch(counters.second) >= sides.from_second
        and epoch(counters.second) < sides.until_second
group by sides.pair_id, counters.code, cast(floor(epoch(counters.second)) as bigint)
