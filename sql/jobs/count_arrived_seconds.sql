-- For the codes of the batches from $batch_id on: the number of new seconds from $first_second to $last_second in which
-- they were sent. The seconds of a minute are bits of a number, which is a small and fast set.
with known as (select build, code from arrived where is_overlapping), -- noqa: ST05

minutes as (
    select
        build, code,
        coalesce(bit_or(cast(1 as bigint) << second(second)) filter (batch_id >= $batch_id), 0) as arrived_seconds,
        coalesce(bit_or(cast(1 as bigint) << second(second)) filter (batch_id < $batch_id), 0) as known_seconds
    from counters semi join known using (build, code)
    where second >= $first_second and second <= $last_second
    group by build, code, date_trunc('minute', second)
),

found as (
    select build, code, cast(sum(bit_count(arrived_seconds & ~known_seconds)) as bigint) as seconds
    from minutes
    group by build, code
)

update arrived
set seconds = found.seconds
from found
where arrived.build = found.build and arrived.code = found.code
