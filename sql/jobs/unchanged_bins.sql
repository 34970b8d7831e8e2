-- Bins of the former published file from $since to before $until (epoch seconds), except those in the stretches
-- $changed: a list of their first seconds and ends. Reads `former_bins`.
select * from former_bins -- noqa: AM04
where
    bin_second >= $since and bin_second < $until
    and len(list_filter(
        cast($changed as bigint[][]), lambda stretch: bin_second >= stretch[1] and bin_second < stretch[2]
    )) = 0
