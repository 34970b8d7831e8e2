-- Which of $batch_ids are known, a duplicate of another one, or were unloaded.
select named.batch_id, batches.batch_id is not null as is_known, batches.duplicate_of, unloaded.unloaded_at
from (select unnest($batch_ids) as batch_id) as named
left join batches using (batch_id)
left join unloaded using (batch_id)
order by named.batch_id
