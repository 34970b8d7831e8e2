-- The candidate's share of the exposure, bin by bin from $from_second to before $until_second (epoch).
select shares.bin_second, shares.candidate_share
from shares
inner join pairs on shares.pair_id = pairs.pair_id
where
    pairs.baseline = $baseline and pairs.candidate = $candidate
    and shares.bin_second >= $from_second and shares.bin_second < $until_second
order by shares.bin_second
