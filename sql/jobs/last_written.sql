-- When the store was last written to, by the clocks that its batches and passes had.
select greatest((select max(loaded_at) from batches), (select max(finished_at) from runs)) as last_at
