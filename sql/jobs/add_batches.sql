-- Rows of the ledger, all by one statement: a statement a row takes a hundred times as long.
-- Parameters: $rows, JSON: DuckDB takes as long to bind two elements of a list as to read a whole row of it.
insert into batches by name
select
    unnest(
        from_json_strict($rows, '[{
            "batch_id": "BIGINT", "source": "VARCHAR", "path": "VARCHAR", "range_start": "BIGINT", "range_end": "BIGINT",
            "fingerprint": "VARCHAR", "modified_ns": "BIGINT", "records": "BIGINT", "rejected": "BIGINT",
            "min_ts": "TIMESTAMP", "max_ts": "TIMESTAMP", "loaded_at": "TIMESTAMP", "duplicate_of": "BIGINT"
        }]'), recursive := true
    )
