-- How the exposure is known, and how it changed since second $since: if most codes rise together, an estimate follows.
-- Odds that are higher by the least ratio of the rules may be traffic too. The first shares are estimated from records
-- before from_second.
with shown as (
    select
        pairs.baseline, pairs.candidate, arg_max(shares.exposure, shares.bin_second) as exposure,
        arg_max(shares.candidate_share, shares.bin_second) as share,
        arg_min(shares.candidate_share, shares.bin_second) as former_share,
        arg_min(shares.exposure, shares.bin_second) as former_exposure
    from shares
    inner join pairs using (pair_id)
    where
        shares.bin_second >= greatest(pairs.from_second, $since)
        -- After its last record there is nothing to estimate from.
        and shares.bin_second < pairs.judged_until_second
    group by pairs.baseline, pairs.candidate
)

select
    baseline, candidate, exposure, share, former_share,
    exposure = 'estimated' and former_exposure = 'estimated'
    and share / (1 - share) >= 1.25 * former_share / (1 - former_share) as is_rising
from shown
