-- Rejects of batches that were loaded before $before.
select batches.loaded_at as moment, batches.batch_id, count(*) as records
from batches
inner join rejects on batches.batch_id = rejects.batch_id
where batches.loaded_at < $before
group by batches.loaded_at, batches.batch_id
