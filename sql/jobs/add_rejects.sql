-- Records that cannot be read, with their reasons. Reads `staged`.
-- Parameters: $batch_id, $source, $paths, $kept_of_rejects (characters).
insert into rejects
select
    $batch_id + (line >> 32) as batch_id,
    $source,
    $paths[1 + (line >> 32)] as path,
    line & 4294967295 as line_number,
    problem,
    left(content, $kept_of_rejects) as content
from staged
where problem is not null
order by line
