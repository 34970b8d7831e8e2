-- Fill the intervals of the alerts in `found`. Lists of equal length: $errors, $more, $shares, $tested and $dispersions
-- identify an interval, $lows and $highs are its ends.
update found set ratio_low = bounds.low, ratio_high = bounds.high
from (
    select
        unnest($errors) as baseline_errors, unnest($more) as candidate_errors, unnest($shares) as candidate_share,
        unnest($tested) as tested_share, unnest($dispersions) as dispersion, unnest($lows) as low,
        unnest(cast($highs as double[])) as high
) as bounds
where
    found.baseline_errors = bounds.baseline_errors and found.candidate_errors = bounds.candidate_errors
    and found.candidate_share = bounds.candidate_share and found.tested_share = bounds.tested_share
    and found.dispersion = bounds.dispersion
