-- Add the errors in `injected_errors` to a build, $build, and a code, $code, as the batch $batch_id.
insert into counters
select make_timestamp(second * 1000000) as ts, $build as of_build, $code as of_code, errors, $batch_id as of_batch
from injected_errors
order by second
