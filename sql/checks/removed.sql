-- What retention has removed of each batch; doctor does not count it as missing.
create or replace temp table removed as
select
    batch_id,
    coalesce(sum(records) filter (relation = 'events'), 0) as events,
    coalesce(sum(records) filter (relation = 'counters'), 0) as counters,
    coalesce(sum(records) filter (relation = 'rejects'), 0) as rejects
from pruned where relation <> 'alerts' group by batch_id
