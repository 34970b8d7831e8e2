-- How many seconds each rule has judged of the bins that end in ($after, $until].
select rule, cast(count(*) filter (is_judged) * max(bin_seconds) as bigint) as seconds
from judged_bins
where bin_second + bin_seconds > $after and bin_second + bin_seconds <= $until
group by rule
