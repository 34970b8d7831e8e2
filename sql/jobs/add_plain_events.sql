insert into events
select
    plain_ts as ts,
    if($before_build = '', build, $before_build || build) as stratified_build,
    case
        when cast($code_pattern as varchar) is null then code
        else coalesce(nullif(regexp_extract(code, $code_pattern, 1), ''), code)
    end as kept_code,
    $batch_id + (line >> 32) as batch_id
from plain
where is_plain
