-- Insert the unchanged records, and the draws for both builds, as counters without a batch.
insert into counters
select second, build, code, errors, batch_id from others
union all
select
    make_timestamp(drawn.second * 1000000) as second, $baseline as build, codes.code,
    drawn.errors - drawn.candidate_errors as errors, 0 as batch_id
from drawn inner join numbered_codes as codes on drawn.code = codes.place
where drawn.errors > drawn.candidate_errors
union all
select
    make_timestamp(drawn.second * 1000000) as second, $candidate as build, codes.code,
    drawn.candidate_errors as errors, 0 as batch_id
from drawn inner join numbered_codes as codes on drawn.code = codes.place
where drawn.candidate_errors > 0
