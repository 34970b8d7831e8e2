-- The bins of a comparison that end in ($after, $until] and are judged. Evidence has no rows of bins without errors:
-- there the candidate has no more errors than expected.
select bin_second
from judged_bins
where
    rule = $rule and baseline = $baseline and candidate = $candidate and active_seconds > 0 and is_judged
    and detector = 'sequential' and bin_second + bin_seconds > $after and bin_second + bin_seconds <= $until
