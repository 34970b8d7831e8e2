-- Records that a cluster keeps of $batch_ids do not count as removed any more.
delete from pruned
where
    relation = 'events'
    and batch_id in (select loads.batch_id from loads)
    and batch_id in (select unnest($batch_ids))
