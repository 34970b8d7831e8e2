-- Records that a cluster keeps: for the store they count as removed events.
-- Parameters: $rows (see jobs/add_batches).
insert into pruned
select 'events' as relation, before_ts, batch_id, records, removed_at
from (
    select
        unnest(
            from_json_strict(
                $rows,
                '[{"batch_id": "BIGINT", "records": "BIGINT", "before_ts": "TIMESTAMP", "removed_at": "TIMESTAMP"}]'
            ), recursive := true
        )
) as found
where records > 0
