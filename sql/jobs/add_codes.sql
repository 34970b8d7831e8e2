-- Insert new codes of the arrived batches.
insert into codes (build, code, first_second, last_second, errors, seconds, repeat_batch_id)
select build, code, first_second, last_second, errors, seconds, repeat_batch_id
from arrived where is_new
