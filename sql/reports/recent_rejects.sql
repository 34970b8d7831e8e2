-- How many records were rejected since $since, and the most frequent reason.
with recent as (select batch_id, rejected from batches where loaded_at >= $since),

-- The text after a colon is a value, and so is the number of seconds ahead of the clock.
kinds as (
    select regexp_replace(split_part(reason, ': ''', 1), '^[0-9,]+ s ', '') as kind
    from rejects
    where batch_id in (select recent.batch_id from recent)
)

select
    (select cast(coalesce(sum(recent.rejected), 0) as bigint) from recent) as rejected_last_day,
    (
        select kinds.kind from kinds
        group by kinds.kind
        order by count(*) desc, kinds.kind asc
        limit 1
    ) as reject_reason
