-- `judged_bins` of a slice: only bins that end in ($after, $until], epoch seconds, may raise an alert; the others are
-- its history.
select
    rule, detector, bin_seconds, pair_id, baseline, candidate, bin_second, active_seconds, is_weighed,
    is_judged and bin_second + bin_seconds > $after and bin_second + bin_seconds <= $until as is_judged, past_bins
from judged_bins
