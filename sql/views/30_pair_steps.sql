-- The errors of both builds of a comparison in one row, for each step in which one of them sent a code.
-- Grain: one row per pair, code and step: a second, or for sequential a bin.
-- Reads: side_counters, pairs, rules
-- Feeds: tallies
with
-- A window that ends in a pair's first bin looks back before it; evidence begins with the pair.
steps as (
    select
        case when detector = 'sequential' then bin_seconds else 1 end as step_seconds,
        max(bin_seconds * case when detector = 'sequential' then 1 else window_bins + 1 end) as reach_seconds
    from rules group by case when detector = 'sequential' then bin_seconds else 1 end
),

sides as (
    select
        steps.step_seconds, pairs.pair_id, pairs.from_second - steps.reach_seconds as from_second, pairs.until_second,
        numbers.is_candidate, case numbers.is_candidate when 1 then pairs.candidate else pairs.baseline end as build
    from pairs cross join steps cross join (values (0), (1)) as numbers (is_candidate)
)

select
    sides.pair_id, counters.code, sides.step_seconds,
    cast(floor(counters.second / sides.step_seconds) * sides.step_seconds as bigint) as second,
    cast(sum(counters.errors * (1 - sides.is_candidate)) as bigint) as baseline_errors,
    cast(sum(counters.errors * sides.is_candidate) as bigint) as candidate_errors
from side_counters as counters
inner join sides
    on
        counters.build = sides.build
        and counters.second >= sides.from_second and counters.second < sides.until_second
group by
    sides.pair_id, counters.code, sides.step_seconds,
    cast(floor(counters.second / sides.step_seconds) * sides.step_seconds as bigint)
