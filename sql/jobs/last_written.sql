-- When the store was last written to, by the clock of its batches and passes.
select greatest((select max(loaded_at) from batches), (select max(finished_at) from runs)) as last_at
