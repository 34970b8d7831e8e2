-- The bins that a rule sees of a comparison, empty ones included: windows of N bins are a join on this grid.
-- Grain: one row per rule, baseline, candidate and bin.
-- Reads: span, pairs, rules
-- Feeds: judged_bins, shares
with
rules as (
    select
        rule, detector, bin_seconds,
        -- Evidence begins with the pair.
        case when detector = 'sequential' then 0 else max(window_bins) end as window_bins
    from rules
    group by rule, detector, bin_seconds
),

bounds as (
    select
        rules.rule,
        rules.detector,
        rules.bin_seconds,
        pairs.pair_id,
        pairs.baseline,
        pairs.candidate,
        greatest(span.slice_from_second, pairs.from_second - rules.window_bins * rules.bin_seconds) as from_second,
        least(span.slice_until_second, pairs.until_second) - 1 as last_second
    from span
    cross join pairs
    cross join rules
)

select
    rule,
    detector,
    bin_seconds,
    pair_id,
    baseline,
    candidate,
    unnest(
        generate_series(
            cast(floor(from_second / bin_seconds) * bin_seconds as bigint),
            cast(floor(last_second / bin_seconds) * bin_seconds as bigint),
            bin_seconds
        )
    ) as bin_second
from bounds
where from_second <= last_second
