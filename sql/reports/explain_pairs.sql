-- The pairs that are compared, and which build is awaited.
select
    pairs.baseline, pairs.candidate, pairs.opened_second, pairs.until_second, pairs.judged_until_second,
    pairs.users_known_second,
    case
        when pairs.users_known_second is not null then null
        when pairs.baseline_last_second < pairs.candidate_last_second then pairs.baseline
        when pairs.baseline_last_second > pairs.candidate_last_second then pairs.candidate
    end as awaited_build
from pairs
