-- What waits to be judged: the bins that end in (judged_after, judged_until]. Late records take `judged_after` back.
-- Grain: one row per rule, baseline and candidate; of a pair that is compared no more nothing waits.
-- Reads: rules, pairs, progress, batches
-- Feeds: people
with
rules as (select distinct rule, settings_hash from rules),

pairs as (select * from pairs),

progress as (select * from progress),

batches as (select * from batches where records > 0),

-- What has come since a pass looked.
arrivals as (
    select
        marks.seen_batch_id,
        min(case when batches.batch_id > marks.seen_batch_id then batches.min_ts end) as unseen_from_ts,
        max(case when batches.batch_id <= marks.seen_batch_id then batches.max_ts end) as seen_until_ts
    from (select distinct seen_batch_id from progress) as marks
    cross join batches
    group by marks.seen_batch_id
),

-- Of pairs that were judged alerts may be stored, whether or not they are compared now.
compared as (
    select rules.rule, rules.settings_hash, pairs.baseline, pairs.candidate from rules cross join pairs
    union distinct
    select rules.rule, rules.settings_hash, progress.baseline, progress.candidate
    from rules inner join progress on rules.rule = progress.rule
)

select
    compared.rule, compared.settings_hash, compared.baseline, compared.candidate,
    case
        when pairs.baseline is null then 253402300799
        -- Settings have changed: alerts may be stored from before the time that the pair has now.
        when progress.settings_hash <> compared.settings_hash then -62135596800
        when progress.settings_hash is null then pairs.opened_second
        -- A record between others of its build may close a gap, and a gap that matters began at most an hour before it.
        else greatest(
            pairs.opened_second, least(
                cast(epoch(progress.judged_until) as bigint),
                cast(floor(epoch(coalesce(arrivals.unseen_from_ts, progress.judged_until))) as bigint)
                - case when arrivals.unseen_from_ts < arrivals.seen_until_ts then 3600 else 0 end
            )
        )
    end as judged_after,
    coalesce(pairs.judged_until_second, -62135596800) as judged_until,
    pairs.complete_until_second as complete_until,
    pairs.is_current,
    pairs.is_current and coalesce(progress.is_superseded, false) as is_displaced
from compared
left join pairs on compared.baseline = pairs.baseline and compared.candidate = pairs.candidate
left join progress
    on
        compared.rule = progress.rule and compared.baseline = progress.baseline
        and compared.candidate = progress.candidate
left join arrivals on progress.seen_batch_id = arrivals.seen_batch_id
