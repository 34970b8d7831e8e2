-- How many bytes of each of $paths were read.
select path, arg_max(file_bytes, batch_id) as file_bytes
from batches inner join contents using (batch_id)
where path in (select unnest($paths))
group by path
