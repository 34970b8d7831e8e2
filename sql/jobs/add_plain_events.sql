insert into events
select
    plain_ts as ts,
    if($before_build = '', build, $before_build || build) as stratified_build,
    code,
    $batch_id + (line >> 32) as batch_id
from plain
where is_plain
