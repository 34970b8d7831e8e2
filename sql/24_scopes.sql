-- What waits to be judged: the bins that end in (judged_after, judged_until]. Late records take `judged_after` back.
-- Grain: one row per rule, baseline and candidate; a pair that is compared no more has no complete_until.
-- Reads: rules, pairs, progress, arrivals
-- Feeds: people
with
rules as (select distinct rule, settings_hash from rules),

pairs as (select baseline, candidate, from_second, until_second, complete_until_second, judged_until_second from pairs),

progress as (
    select rule, baseline, candidate, settings_hash, seen_batch_id, cast(epoch(judged_until) as bigint) as judged_until
    from progress
),

arrivals as (select seen_batch_id, touched_after from arrivals),

reigning as (select max(complete_until_second) as complete_until from pairs where until_second = 253402300799),

-- Of pairs that were judged alerts may be stored, whether or not they are compared now.
compared as (
    select rules.rule, rules.settings_hash, pairs.baseline, pairs.candidate
    from rules
    cross join pairs
    union distinct
    select rules.rule, rules.settings_hash, progress.baseline, progress.candidate
    from rules
    inner join progress on rules.rule = progress.rule
)

select
    compared.rule,
    compared.settings_hash,
    compared.baseline,
    compared.candidate,
    case
        when progress.settings_hash is null then pairs.from_second
        -- Settings have changed: alerts may be stored from before the time that the pair has now.
        when progress.settings_hash <> compared.settings_hash then -62135596800
        else greatest(
            coalesce(pairs.from_second, -62135596800),
            least(progress.judged_until, coalesce(arrivals.touched_after, progress.judged_until))
        )
    end as judged_after,
    coalesce(pairs.judged_until_second, 253402300799) as judged_until,
    pairs.complete_until_second as complete_until,
    -- A pair that a newer build has replaced is judged no further: its incidents are settled by the time of its heir.
    case
        when pairs.until_second = 253402300799 then pairs.complete_until_second
        else greatest(pairs.complete_until_second, coalesce(reigning.complete_until, pairs.complete_until_second))
    end as settled_until
from compared
cross join reigning
left join pairs on compared.baseline = pairs.baseline and compared.candidate = pairs.candidate
left join progress
    on
        compared.rule = progress.rule
        and compared.baseline = progress.baseline
        and compared.candidate = progress.candidate
left join arrivals on progress.seen_batch_id = arrivals.seen_batch_id
