-- For those of $batches that also have accepted records: how many times per source have an unknown form, and the first.
select
    rejects.source, count(*) as times, arg_min(rejects.path, (rejects.batch_id, rejects.line)) as path,
    arg_min(rejects.line, (rejects.batch_id, rejects.line)) as line
from rejects
inner join batches using (batch_id)
where rejects.batch_id in (select unnest($batches)) and rejects.reason = 'time cannot be read' and batches.records > 0
group by rejects.source
order by rejects.source
