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

# What a rule promises of all codes of the pairs that are compared now together.
PROMISES = """
select rule, round(pow(10, any_value(threshold)) * any_value(bin_seconds) / 86400, 6) as days_per_code, codes
from rules
cross join (
    select count(distinct code) as codes
    from codes
    where build in (
        select unnest([baseline, candidate]) from pairs where is_current
        union
        select build from earlier
    )
)
where detector = 'sequential' and codes > 0
group by rule, codes
order by rule
"""

# How the exposure is known, and where it went in the last hours: where most codes rise together, an estimate follows.
# Odds that are higher by the least ratio that rules look for may be traffic as well.
EXPOSURES = """
select
    baseline, candidate, exposure, share, former_share,
    exposure = 'estimated' and former_exposure = 'estimated'
    and share / (1 - share) >= 1.25 * former_share / (1 - former_share) as is_rising
from (
    select
        pairs.baseline, pairs.candidate, arg_max(shares.exposure, bin_second) as exposure,
        arg_max(shares.candidate_share, bin_second) as share,
        arg_min(shares.candidate_share, bin_second) as former_share,
        arg_min(shares.exposure, bin_second) as former_exposure
    from shares
    inner join pairs using (pair_id)
    -- Before that lies what the first of these are estimated from.
    where shares.bin_second >= greatest(pairs.from_second, $since)
    group by pairs.baseline, pairs.candidate
)
"""

REJECTS = """
select
    (select coalesce(sum(rejected), 0)::bigint from batches where loaded_at >= $since) as rejected_last_day,
    (
        select kind
        from (
            -- What follows is a value, and by how many seconds it is off is one as well.
            select regexp_replace(split_part(reason, ': ''', 1), '^[0-9,]+ s ', '') as kind from rejects
            where batch_id in (select batch_id from batches where loaded_at >= $since)
        )
        group by kind order by count(*) desc, kind limit 1
    ) as reject_reason
"""


MARKS = "select source, cursor, arg_max(mark, batch_id) as mark from cursor_marks group by all order by source"
