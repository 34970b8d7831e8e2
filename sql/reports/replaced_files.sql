-- Contents that were replaced since $since, perhaps before they were read to the end.
select
    count(*) filter (found_as is null) as replaced_files,
    arg_max(path || ' ' || state, replaced_at) filter (found_as is null) as replaced_path
from replaced where replaced_at >= $since
