-- Rows of `codes` for pairs that begin before retention's horizon, minus the removed batches.
create or replace temp table codes_before as
select
    codes.build, codes.code, codes.first_second,
    least(codes.last_second, $kept_from::timestamp - interval 1 second) as last_second,
    codes.errors - coalesce(departed.errors, 0) as errors, codes.seconds - coalesce(departed.seconds, 0) as seconds,
    case when codes.repeat_batch_id not in (select unnest($batch_ids)) then codes.repeat_batch_id end as repeat_batch_id
from codes
left join departed using (build, code)
where codes.first_second < $kept_from or codes.first_second is null
