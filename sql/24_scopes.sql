-- What waits to be judged: the bins that end in (judged_after, judged_until]. Late records take `judged_after` back.
-- Grain: one row per rule, baseline and candidate.
-- Reads: rules, pairs, progress, arrivals
-- Feeds: people
with
rules as (select distinct rule, settings_hash from rules),

pairs as (select baseline, candidate, from_second, until_second, complete_until_second, judged_until_second from pairs),

progress as (
    select
        rule,
        baseline,
        candidate,
        settings_hash,
        seen_batch_id,
        cast(epoch(judged_until) as bigint) as judged_until
    from progress
),

arrivals as (select seen_batch_id, touched_after from arrivals),

reigning as (select max(complete_until_second) as complete_until from pairs where until_second = 253402300799)

select
    rules.rule,
    rules.settings_hash,
    pairs.baseline,
    pairs.candidate,
    greatest(
        pairs.from_second,
        coalesce(
            least(progress.judged_until, coalesce(arrivals.touched_after, progress.judged_until)), pairs.from_second
        )
    ) as judged_after,
    pairs.judged_until_second as judged_until,
    pairs.complete_until_second as complete_until,
    -- A pair that a newer build has replaced is judged no further: its incidents are settled by the time of its heir.
    case
        when pairs.until_second = 253402300799 then pairs.complete_until_second
        else greatest(pairs.complete_until_second, coalesce(reigning.complete_until, pairs.complete_until_second))
    end as settled_until
from rules
cross join pairs
cross join reigning
left join progress
    on
        rules.rule = progress.rule
        and rules.settings_hash = progress.settings_hash
        and pairs.baseline = progress.baseline
        and pairs.candidate = progress.candidate
left join arrivals on progress.seen_batch_id = arrivals.seen_batch_id
