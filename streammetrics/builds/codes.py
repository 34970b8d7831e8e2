"""What each build has sent of each code, in the table `codes`: from when to when, how many errors, in how many seconds.

Ingest adds what its batches hold, in the transaction of their counters. The figures follow from all counters that were
ever stored, whatever the order of batches. Retention does not change them: what a build has sent, it has sent.

`repeat_batch_id` is the first batch with which the code had come in two different seconds; NULL while it has not.
"""

from sqlalchemy import Connection

# In one batch a build, code and second are one row. `opening_second` is a second of the first batch with the code.
_ARRIVED = """
create or replace temp table arrived as
select
    found.* exclude (earliest_second), codes.build is null as is_new,
    coalesce(codes.first_second, found.earliest_second) as opening_second,
    case
        when codes.repeat_batch_id is not null then codes.repeat_batch_id
        when first_batch_id < last_batch_id then null
        when found.first_second <> opening_second or found.last_second <> opening_second then first_batch_id
    end as repeat_batch_id,
    first_batch_id < last_batch_id
    or coalesce(found.first_second <= codes.last_second and found.last_second >= codes.first_second, false)
        as is_overlapping
from (
    select
        build, code, min(second) as first_second, max(second) as last_second, sum(errors)::bigint as errors,
        count(*) as seconds, min(batch_id) as first_batch_id, max(batch_id) as last_batch_id,
        arg_min(second, batch_id) as earliest_second
    from counters
    where batch_id >= $batch_id
    group by build, code
) as found
left join codes using (build, code)
"""

_OVERLAP = "select min(first_second), max(last_second) from arrived where is_overlapping"

# The seconds of a minute are the bits of a number: a set that is small, and quick to add to.
_SECONDS = """
update arrived
set seconds = found.seconds
from (
    select build, code, sum(bit_count(arrived_seconds & ~known_seconds))::bigint as seconds
    from (
        select
            build, code,
            coalesce(bit_or(1::bigint << second(second)) filter (batch_id >= $batch_id), 0) as arrived_seconds,
            coalesce(bit_or(1::bigint << second(second)) filter (batch_id < $batch_id), 0) as known_seconds
        from counters semi join (from arrived where is_overlapping) using (build, code)
        where second >= $first_second and second <= $last_second
        group by build, code, date_trunc('minute', second)
    )
    group by build, code
) as found
where arrived.build = found.build and arrived.code = found.code
"""

_REPEATS = """
update arrived
set repeat_batch_id = found.batch_id
from (
    select build, code, min(counters.batch_id) as batch_id
    from counters inner join arrived using (build, code)
    where
        counters.batch_id >= $batch_id and counters.second >= $first_second and counters.second <= $last_second
        and counters.second <> arrived.opening_second
        and arrived.repeat_batch_id is null and arrived.first_batch_id < arrived.last_batch_id
    group by build, code
) as found
where arrived.build = found.build and arrived.code = found.code
"""

_KNOWN = """
update codes
set
    first_second = least(codes.first_second, arrived.first_second),
    last_second = greatest(codes.last_second, arrived.last_second),
    errors = codes.errors + arrived.errors,
    seconds = codes.seconds + arrived.seconds,
    repeat_batch_id = arrived.repeat_batch_id
from arrived
where codes.build = arrived.build and codes.code = arrived.code
"""

_NEW = """
insert into codes (build, code, first_second, last_second, errors, seconds, repeat_batch_id)
select build, code, first_second, last_second, errors, seconds, repeat_batch_id
from arrived where is_new
"""

# What `codes` says where retention has removed nothing.
_COUNTED = """
create or replace temp table codes_counted as
with per_minute as (
    select
        build, code, min(second) as first_second, max(second) as last_second, sum(errors) as errors,
        bit_or(1::bigint << second(second)) as seconds, min(batch_id) as first_batch_id,
        arg_min(second, batch_id) as opening_second
    from counters
    group by build, code, date_trunc('minute', second)
),
sent as (
    select
        build, code, min(first_second) as first_second, max(last_second) as last_second, sum(errors)::bigint as errors,
        sum(bit_count(seconds))::bigint as seconds, arg_min(opening_second, first_batch_id) as opening_second
    from per_minute
    group by build, code
)
select sent.* exclude (opening_second), repeats.batch_id as repeat_batch_id
from sent
left join (
    select build, code, min(batch_id) as batch_id
    from counters inner join sent using (build, code)
    where second <> opening_second
    group by build, code
) as repeats using (build, code)
"""

_COMPLETE = """
update codes
set
    first_second = least(codes.first_second, counted.first_second),
    last_second = greatest(codes.last_second, counted.last_second),
    errors = greatest(codes.errors, counted.errors),
    seconds = greatest(codes.seconds, counted.seconds),
    repeat_batch_id = coalesce(codes.repeat_batch_id, counted.repeat_batch_id)
from codes_counted as counted
where codes.build = counted.build and codes.code = counted.code
"""

_LISTED = """
insert into codes (build, code, first_second, last_second, errors, seconds, repeat_batch_id)
select build, code, first_second, last_second, errors, seconds, repeat_batch_id
from codes_counted anti join codes using (build, code)
"""


def add(connection: Connection, batch_id: int) -> bool:
    """Add the batch `batch_id` and what came after it, in the caller's transaction; whether a pair was not known.

    Leaves the temporary table `arrived`: what these batches hold of each pair of build and code.
    """
    batch = {"batch_id": batch_id}
    connection.exec_driver_sql(_ARRIVED, batch)
    first, last = connection.exec_driver_sql(_OVERLAP).one()
    if first is not None:
        within = {**batch, "first_second": first, "last_second": last}
        connection.exec_driver_sql(_SECONDS, within)
        connection.exec_driver_sql(_REPEATS, within)
    connection.exec_driver_sql(_KNOWN)
    has_new_pair = connection.exec_driver_sql("select count(*) > 0 from arrived where is_new").scalar_one()
    if has_new_pair:
        connection.exec_driver_sql(_NEW)
    return bool(has_new_pair)


def count(connection: Connection) -> None:
    """Make the temporary table `codes_counted`: what all counters say, found in another way than ingest does."""
    connection.exec_driver_sql(_COUNTED)


def complete(connection: Connection) -> None:
    """Where counters were removed: make the table say no less than those that are kept; needs `codes_counted`."""
    connection.exec_driver_sql(_COMPLETE)
    connection.exec_driver_sql(_LISTED)
