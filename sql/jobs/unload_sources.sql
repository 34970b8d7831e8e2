-- The sources with batches, and when each was last loaded.
select source, max(loaded_at) as loaded_at from batches where duplicate_of is null group by source order by source
