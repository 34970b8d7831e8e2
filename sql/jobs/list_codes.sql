-- Codes that codes_counted has and no other lists.
insert into codes (build, code, first_second, last_second, errors, seconds, repeat_batch_id)
select
    counted.build, counted.code, counted.first_second, counted.last_second, counted.errors, counted.seconds,
    counted.repeat_batch_id
from codes_counted as counted
left join codes using (build, code)
where codes.build is null
