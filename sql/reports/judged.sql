-- The pairs that are compared now, and how far they are judged. A build is awaited if it has sent nothing in a
-- completed bin of the other one; earlier days are complete. While a file of [[exposure]] cannot be read ($is_unread),
-- pairs of builds without known users wait.
select
    pairs.baseline, pairs.candidate, min(progress.judged_until) as judged_until,
    coalesce(bool_or(progress.is_superseded), false) as is_displaced,
    case
        when any_value(pairs.lag_seconds) > 0 or any_value(pairs.users_known_second) is not null then null
        when any_value(abs(pairs.baseline_last_second - pairs.candidate_last_second)) < min(rules.bin_seconds) then null
        when any_value(pairs.baseline_last_second < pairs.candidate_last_second) then pairs.baseline
        else pairs.candidate
    end as awaited,
    coalesce(any_value(abs(pairs.baseline_last_second - pairs.candidate_last_second)), 0) as behind_seconds,
    epoch(min(progress.judged_until))::bigint
    - any_value(greatest(pairs.begun_second, pairs.from_second)) as judged_seconds,
    $is_unread and bool_and(
        pairs.exposure = 'given' and rules.detector = 'sequential'
        and not (
            pairs.baseline in (select build from exposure) and pairs.candidate in (select build from exposure)
        )
    ) as awaits_users
from pairs
left join builds as newer on pairs.candidate = newer.build
cross join (select distinct rule, detector, bin_seconds, settings_hash from rules) as rules -- noqa: ST05
left join progress
    on
        rules.rule = progress.rule and rules.settings_hash = progress.settings_hash
        and pairs.baseline = progress.baseline and pairs.candidate = progress.candidate
where pairs.is_current
group by pairs.baseline, pairs.candidate
order by
    is_displaced asc, floor(epoch(min(progress.judged_until)) / 600) desc nulls last, max(newer.version_rank) desc,
    pairs.baseline desc
