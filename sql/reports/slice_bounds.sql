-- Where the data begin and end, and how far (s) a bin looks back: the longest window, and for
-- sequential its history twice, $look_back_blocks blocks of $block_seconds or a wider bin, and $more_seconds.
with kept as (select max(before_ts) as before_ts from pruned where relation = 'counters'),

ends as (
    select greatest(min(first_second), max(kept.before_ts)) as first_second, max(last_second) as last_second
    from builds cross join kept
),

looks as (
    select
        bin_seconds, bin_seconds * window_bins + case
            when detector = 'sequential'
                then
                    bin_seconds * window_bins + $look_back_blocks * greatest($block_seconds, bin_seconds)
                    + $more_seconds
            else 0
        end as look_back
    from rules
),

bins as (
    select coalesce(max(bin_seconds), 1) as widest, coalesce(max(look_back), 0) as longest
    from looks
)

select
    coalesce(epoch(ends.first_second)::bigint, 0) as first_second,
    coalesce(epoch(ends.last_second)::bigint, 0) + bins.widest as end_second,
    bins.longest + 2 * bins.widest as lead_seconds
from ends cross join bins
