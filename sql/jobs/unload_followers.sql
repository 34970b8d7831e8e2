-- Batches that continue a batch: their range begins where its range ends, and the content has the same first lines,
-- path or inode. A database, recognized by its source, is continued from its last batch.
select
    later.batch_id,
    arg_max(
        former.batch_id,
        row(
            coalesce(newer.head = older.head, false), later.path = former.path,
            coalesce(newer.inode = older.inode, false),
            former.batch_id
        )
    ) as continues
from batches as later
inner join batches as former on later.range_start = former.range_end and later.batch_id > former.batch_id
left join contents as newer on later.batch_id = newer.batch_id
left join contents as older on former.batch_id = older.batch_id
where
    later.range_start > 0 and later.modified_ns <> 0 and former.modified_ns <> 0
    and later.duplicate_of is null and former.duplicate_of is null
group by later.batch_id
union all
select batch_id, continues
from (
    select batch_id, lag(batch_id) over (partition by source order by batch_id) as continues
    from batches where modified_ns = 0 and duplicate_of is null
) as portions
where continues is not null
order by batch_id
