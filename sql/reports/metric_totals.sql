-- The newest record, and how many records were rejected and notices wait for their channel.
select
    (select max(last_second) from builds) as last_ts,
    (select coalesce(sum(rejected), 0)::bigint from batches where duplicate_of is null) as rejected,
    (select count(*) from notices where taken_at is null) as notices
