-- The errors of both builds of a comparison side by side, wherever either of them sent a code.
-- Grain: one row per pair, code and step: a second, or a bin where a detector does not look at its seconds.
-- Reads: side_counters, pairs, rules
-- Feeds: tallies
with
-- A window that ends in a pair's first bin looks back before it; evidence begins with the pair.
rules as (
    select
        case when detector = 'sequential' then bin_seconds else 1 end as step_seconds,
        max(bin_seconds * case when detector = 'sequential' then 1 else window_bins + 1 end) as reach_seconds
    from rules
    group by case when detector = 'sequential' then bin_seconds else 1 end
),

spans as (
    select
        rules.step_seconds,
        pairs.pair_id,
        pairs.baseline,
        pairs.candidate,
        pairs.from_second - rules.reach_seconds as from_second,
        pairs.until_second
    from pairs
    cross join rules
),

sides as (
    select step_seconds, pair_id, from_second, until_second, baseline as build, 1 as baseline_side, 0 as candidate_side
    from spans
    union all
    select step_seconds, pair_id, from_second, until_second, candidate as build, 0 as baseline_side, 1 as candidate_side
    from spans
)

select
    sides.pair_id,
    counters.code,
    sides.step_seconds,
    cast(floor(counters.second / sides.step_seconds) * sides.step_seconds as bigint) as second,
    cast(sum(counters.errors * sides.baseline_side) as bigint) as baseline_errors,
    cast(sum(counters.errors * sides.candidate_side) as bigint) as candidate_errors
from side_counters as counters
inner join sides
    on
        counters.build = sides.build
        and counters.second >= sides.from_second
        and counters.second < sides.until_second
group by
    sides.pair_id,
    counters.code,
    sides.step_seconds,
    cast(floor(counters.second / sides.step_seconds) * sides.step_seconds as bigint)
