-- All bins of a rule and comparison, empty ones included; windows of N bins are joins on this grid.
-- Grain: one row per rule, baseline, candidate and bin.
-- Reads: span, pairs, rules
-- Feeds: judged_bins, shares
with
-- Windows look back before a pair begins; evidence does not.
looks as (
    select
        rule, detector, bin_seconds, max(case when detector = 'sequential' then 0 else window_bins end) as window_bins
    from rules group by rule, detector, bin_seconds
),

bounds as (
    select
        r.rule, r.detector, r.bin_seconds, p.pair_id, p.baseline, p.candidate,
        greatest(span.slice_from_second, p.from_second - r.window_bins * r.bin_seconds) as from_second,
        least(span.slice_until_second, p.until_second) - 1 as last_second
    from span cross join pairs as p cross join looks as r
)

select
    rule, detector, bin_seconds, pair_id, baseline, candidate, unnest(generate_series(
        cast(floor(from_second / bin_seconds) * bin_seconds as bigint),
        cast(floor(last_second / bin_seconds) * bin_seconds as bigint), bin_seconds
    )) as bin_second
from bounds where from_second <= last_second
