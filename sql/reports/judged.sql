-- A build is awaited where a bin of the other one is over that it has not been heard in.
select
    pairs.baseline, pairs.candidate, min(progress.judged_until) as judged_until,
    coalesce(bool_or(progress.is_superseded), false) as is_displaced,
    case
        when any_value(abs(epoch(olds.last_second) - epoch(news.last_second))) < min(rules.bin_seconds) then null
        when any_value(olds.last_second < news.last_second) then pairs.baseline
        else pairs.candidate
    end as awaited,
    any_value(abs(epoch(olds.last_second) - epoch(news.last_second)))::bigint as behind_seconds,
    epoch(min(progress.judged_until))::bigint - any_value(
        greatest(epoch(olds.first_second), epoch(news.first_second), pairs.from_second)
    )::bigint as judged_seconds
from pairs
inner join builds as olds on pairs.baseline = olds.build
inner join builds as news on pairs.candidate = news.build
cross join (select distinct rule, bin_seconds, settings_hash from rules) as rules -- noqa: ST05
left join progress
    on
        rules.rule = progress.rule and rules.settings_hash = progress.settings_hash
        and pairs.baseline = progress.baseline and pairs.candidate = progress.candidate
where pairs.is_current
group by pairs.baseline, pairs.candidate
order by
    is_displaced asc, floor(epoch(min(progress.judged_until)) / 600) desc nulls last, max(news.version_rank) desc,
    pairs.baseline desc
