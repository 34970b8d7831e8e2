-- What was drawn for a build, as counters of no batch.
insert into counters
select
    make_timestamp(drawn.second * 1000000) as second, $build, numbered_codes.code, drawn.errors,
    0 as batch_id
from drawn inner join numbered_codes on drawn.code = numbered_codes.place
