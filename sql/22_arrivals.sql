-- What has come since a pass looked: how far back the bins are that it touches.
-- Grain: one row per last batch that a pass has seen.
-- Reads: progress, batches
-- Feeds: scopes
with
marks as (select distinct seen_batch_id from progress),

batches as (select batch_id, min_ts, max_ts from batches where records > 0),

arrivals as (
    select
        marks.seen_batch_id,
        min(case when batches.batch_id > marks.seen_batch_id then batches.min_ts end) as unseen_from_ts,
        max(case when batches.batch_id <= marks.seen_batch_id then batches.max_ts end) as seen_until_ts
    from marks
    cross join batches
    group by marks.seen_batch_id
)

-- A record between others of its build may close a gap, and a gap that matters began at most an hour before it.
select
    seen_batch_id,
    cast(floor(epoch(unseen_from_ts)) as bigint)
    - case when unseen_from_ts < seen_until_ts then 3600 else 0 end as touched_after
from arrivals
where unseen_from_ts is not null
