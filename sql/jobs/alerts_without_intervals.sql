-- The distinct inputs of ratio intervals. Reads `found`.
select distinct
    cast(baseline_errors as double) as baseline_errors, cast(candidate_errors as double) as candidate_errors,
    candidate_share, tested_share, dispersion
from found
where candidate_share is not null
