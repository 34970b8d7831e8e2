"""The questions that status asks of a store."""

STRONGEST = 3
"""So many incidents of a rule, and so many comparisons, fit into a line."""

EXPOSURE_HOURS = 3

HISTORY = """
select
    greatest(min(min_ts), (select max(before_ts) from pruned where relation = 'counters')) as first_ts,
    max(max_ts) as last_ts, coalesce(sum(records), 0)::bigint as records,
    coalesce(sum(rejected), 0)::bigint as rejected, count(*) as batches
from batches where duplicate_of is null
"""

# Of each family the highest builds that can be compared, those first that sent records last.
FAMILIES = """
select
    family, list_reverse(max_by(build, version_rank, $most)) as builds, count(*) as known,
    list(build order by version_rank) filter (ordered_by = 'first_seen') as unread,
    (select any_value(builds_order) from settings) as builds_order
from (
    select family, build, version_rank, ordered_by, last_second from builds where since_second is not null
)
group by family
order by max(last_second) desc, family
"""

PASSES = """
select finished_at, state, alerts_new, alerts_revised, alerts_retracted, error
from runs where state = 'failed' or not $failed
order by run_id desc limit 1
"""

# Open are incidents that end so near to what is settled that another alert could join them.
OPEN_TAILS = """
select alerts.rule, alerts.baseline, alerts.candidate, alerts.code
from main.alerts as alerts
inner join (
    select rule, baseline, candidate, min(settled_until) as settled_until
    from progress where not is_superseded group by all
) as settled using (rule, baseline, candidate)
cross join settings
where alerts.state = 'current' and epoch(alerts.end_ts) + settings.merge_seconds > epoch(settled.settled_until)
"""

OPEN = """
select rule, code, baseline, candidate, start_ts, ratio, ratio_low, peak_value,
    count(*) over (partition by rule) as open,
    row_number() over (partition by rule order by peak_value desc, incident_id) as place
from incidents where state = 'open'
qualify place <= $most
order by rule, place
"""

# A build is awaited where a bin of the other one is over that it has not been heard in.
JUDGED = """
select pairs.baseline, pairs.candidate, min(progress.judged_until) as judged_until,
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
cross join (select distinct rule, bin_seconds, settings_hash from rules) as rules
left join progress
    on progress.rule = rules.rule and progress.settings_hash = rules.settings_hash
    and progress.baseline = pairs.baseline and progress.candidate = pairs.candidate
where pairs.is_current
group by pairs.baseline, pairs.candidate
order by
    is_displaced, floor(epoch(min(progress.judged_until)) / 600) desc nulls last, max(news.version_rank) desc,
    pairs.baseline desc
"""

# What a rule promises of all codes of the pairs that are compared now together.
PROMISES = """
select rule, round(pow(10, any_value(threshold)) * any_value(bin_seconds) / 86400, 6) as days_per_code, codes
from rules
cross join (
    select count(distinct code) as codes
    from codes
    where build in (
        select unnest([baseline, candidate]) from pairs where is_current
    )
)
where detector = 'sequential' and codes > 0
group by rule, codes
order by rule
"""

# How the exposure is known, and where it went in the last hours: where most codes rise together, an estimate follows.
# Odds that are higher by the least ratio that rules look for may be traffic as well.
EXPOSURES = """
select *, exposure = 'estimated' and share / (1 - share) >= 1.25 * former_share / (1 - former_share) as is_rising
from (
    select
        pairs.baseline, pairs.candidate, arg_max(shares.exposure, bin_second) as exposure,
        arg_max(shares.candidate_share, bin_second) as share,
        arg_min(shares.candidate_share, bin_second) as former_share
    from shares
    inner join pairs using (pair_id)
    where shares.bin_second >= pairs.from_second
    group by pairs.baseline, pairs.candidate
)
"""

REJECTS = """
select
    (select coalesce(sum(rejected), 0)::bigint from batches where loaded_at >= $since) as rejected_last_day,
    (
        select kind
        from (
            -- What follows is a value.
            select split_part(reason, ': ''', 1) as kind from rejects
            where batch_id in (select batch_id from batches where loaded_at >= $since)
        )
        group by kind order by count(*) desc, kind limit 1
    ) as reject_reason
"""


MARKS = "select source, cursor, arg_max(mark, batch_id) as mark from cursor_marks group by all order by source"

# Contents perhaps not read to their end; files whose records were all ahead of the clock.
FILES = """
select
    coalesce(ahead.files, 0) as ahead_files, ahead.path as ahead_path, ahead.batch_id as ahead_batch_id,
    (select count(*) from replaced where found_as is null and replaced_at >= $since) as replaced_files,
    (
        select arg_max(path || ' ' || state, replaced_at) from replaced
        where found_as is null and replaced_at >= $since
    ) as replaced_path
from (
    select count(distinct path) as files, max(batch_id) as batch_id, arg_max(path, batch_id) as path
    from batches
    where
        loaded_at >= $since and min_ts > loaded_at + to_seconds($least_ahead)
        and max_ts <= loaded_at + to_seconds($most_ahead)
) as ahead
"""
