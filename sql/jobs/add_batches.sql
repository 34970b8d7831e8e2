-- Rows of the ledger. All by one statement, column by column: a statement a row takes a hundred times as long.
-- Parameters, lists of the same length: one for each column.
insert into batches by name
select
    unnest($batch_id) as batch_id,
    unnest($source) as source,
    unnest($path) as path,
    unnest($range_start) as range_start,
    unnest($range_end) as range_end,
    unnest($fingerprint) as fingerprint,
    unnest($modified_ns) as modified_ns,
    unnest($records) as records,
    unnest($rejected) as rejected,
    unnest($min_ts) as min_ts,
    unnest($max_ts) as max_ts,
    unnest($loaded_at) as loaded_at,
    unnest($duplicate_of) as duplicate_of
