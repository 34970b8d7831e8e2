-- Rows of the ledger, all in one statement: one statement per row takes a hundred times as long.
-- Parameters: $rows, JSON: binding two elements of a list takes DuckDB as long as reading a whole JSON row.
insert into batches by name
select
    unnest(
        from_json_strict($rows, '[{
            "batch_id": "BIGINT", "source": "VARCHAR", "path": "VARCHAR", "range_start": "BIGINT", "range_end": "BIGINT",
            "fingerprint": "VARCHAR", "modified_ns": "BIGINT", "records": "BIGINT", "rejected": "BIGINT",
            "min_ts": "TIMESTAMP", "max_ts": "TIMESTAMP", "loaded_at": "TIMESTAMP", "duplicate_of": "BIGINT"
        }]'), recursive := true
    )
