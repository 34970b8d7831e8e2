-- What each build has sent of each code; see `codes`. Of pairs of which retention keeps no counter: no errors.
alter table codes add column first_second timestamp;
alter table codes add column last_second timestamp;
alter table codes add column errors bigint default 0;
alter table codes add column seconds bigint default 0;
alter table codes add column repeat_batch_id bigint;
update codes
set
    first_second = sent.first_second, last_second = sent.last_second, errors = sent.errors, seconds = sent.seconds,
    repeat_batch_id = sent.repeat_batch_id
from (
    select
        build, code, min(second) as first_second, max(second) as last_second, sum(errors)::bigint as errors,
        count(*) as seconds, min(batch_id, 2)[2] as repeat_batch_id
    from (
        select build, code, second, sum(errors) as errors, min(batch_id) as batch_id
        from counters group by build, code, second
    )
    group by build, code
) as sent
where codes.build = sent.build and codes.code = sent.code;
