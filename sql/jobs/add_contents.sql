-- Fingerprints of the contents of files, by which the ledger recognizes them.
-- Parameters: $rows (see jobs/add_batches).
insert into contents by name
select
    unnest(
        from_json_strict($rows, '[{
            "batch_id": "BIGINT", "file_bytes": "BIGINT", "inode": "VARCHAR", "head": "VARCHAR", "prefix": "VARCHAR",
            "lines": "BIGINT", "settings": "VARCHAR", "header_line": "BIGINT"
        }]'), recursive := true
    )
