"""Batches out of all tables, in the caller's transaction: afterwards the store says what the other batches say.

`builds`, `build_hours` and `codes` are made anew from the counters that stay. Where retention has removed counters,
only these tables know what lay before its horizon (`kept_from`): of builds and pairs that begin before it they keep
that, less what can be counted of the batches that go. What retention had removed of these very batches stays in them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics import builds, relations, retention, watermarks, wide
from streammetrics.sources import marks

LONGEST_GAP = timedelta(hours=1)
"""Without a record a build may be silent in bins before it: a gap that matters begins at most so long before."""

_KEEP_ROWS = """
insert into unloaded
select
    batch_id, source, path, range_start, range_end, records, rejected, min_ts, max_ts, loaded_at, $now,
    (select coalesce(max(run_id), 0) from runs)
from batches where batch_id in (select unnest($batch_ids)) order by batch_id
"""

# What a path was missed for when it was read as one of these batches, by that transaction.
_FORGET_MISSED = """
delete from replaced
where (path, replaced_at) in (select path, loaded_at from batches where batch_id in (select unnest($batch_ids)))
"""

_SOURCES = "select distinct source from cursor_marks where batch_id in (select unnest($batch_ids))"

_COPIES = "select batch_id from batches where duplicate_of in (select unnest($batch_ids))"

_TABLES = ("events", "counters", "rejects", "contents", "replaced", "cursor_rows", "cursor_marks", "batches")

# A second counts for a pair as long as another batch holds it.
_DEPARTED = """
create or replace temp table departed as
select build, code, sum(gone)::bigint as errors, count(*) filter (gone = errors) as seconds
from (
    select
        build, code, sum(errors) as errors,
        coalesce(sum(errors) filter (batch_id in (select unnest($batch_ids))), 0) as gone
    from counters
    semi join (select distinct build, code from counters where batch_id in (select unnest($batch_ids)))
        using (build, code)
    where second >= $first_second and second <= $last_second
    group by build, code, second
)
where gone > 0
group by build, code
"""

_BUILDS_BEFORE = "create or replace temp table builds_before as from builds where first_second < $kept_from"

_HOURS_BEFORE = (
    "create or replace temp table hours_before as from build_hours where hour_second < epoch($kept_from::timestamp)"
)

_CODES_BEFORE = """
create or replace temp table codes_before as
select
    codes.* replace (
        codes.errors - coalesce(departed.errors, 0) as errors, codes.seconds - coalesce(departed.seconds, 0) as seconds,
        if(repeat_batch_id in (select unnest($batch_ids)), null, repeat_batch_id) as repeat_batch_id,
        least(codes.last_second, $kept_from::timestamp - interval 1 second) as last_second
    )
from codes left join departed using (build, code)
where first_second < $kept_from or first_second is null
"""

# What is kept of a pair or build says the rest: when it was last sent, and so on.
_RESTORE = (
    """
    update codes_before as old
    set
        last_second = coalesce(codes.last_second, old.last_second),
        repeat_batch_id = coalesce(old.repeat_batch_id, codes.repeat_batch_id)
    from codes where codes.build = old.build and codes.code = old.code
    """,
    "delete from codes where (build, code) in (select build, code from codes_before)",
    "insert into codes by name from codes_before",
    """
    update builds_before as old
    set
        since_second = if(old.since_second < $kept_from, old.since_second, builds.since_second),
        last_second = coalesce(builds.last_second, least(old.last_second, $kept_from::timestamp - interval 1 second))
    from (select build from builds_before) as all_builds left join builds using (build)
    where all_builds.build = old.build
    """,
    "delete from builds where build in (select build from builds_before)",
    "insert into builds by name from builds_before",
    "insert into build_hours by name from hours_before",
)


def remove(connection: Connection, batch_ids: Sequence[int], now: datetime) -> None:
    """Remove batches that are in the ledger, with the rows of their copies.

    Args:
        now: naive UTC.

    Raises:
        UsageError: a database cannot be read again from where these batches begin.
    """
    ids = {"batch_ids": list(batch_ids)}
    connection.exec_driver_sql(_KEEP_ROWS, {**ids, "now": now})
    connection.exec_driver_sql(_FORGET_MISSED, ids)
    span = "select min(second), max(second) from counters where batch_id in (select unnest($batch_ids))"
    first, last = connection.exec_driver_sql(span, ids).one()
    kept_from = retention.kept_from(connection)
    if kept_from is not None:
        connection.exec_driver_sql(_DEPARTED, {**ids, "first_second": first, "last_second": last})
        connection.exec_driver_sql(_CODES_BEFORE, {**ids, "kept_from": kept_from})
        connection.exec_driver_sql(_BUILDS_BEFORE, {"kept_from": kept_from})
        connection.exec_driver_sql(_HOURS_BEFORE, {"kept_from": kept_from})
    sources = connection.exec_driver_sql(_SOURCES, ids).scalars().all()
    copies = connection.exec_driver_sql(_COPIES, ids).scalars().all()
    for table in _TABLES:
        gone = {"batch_ids": [*batch_ids, *copies]}
        connection.exec_driver_sql(f"delete from {table} where batch_id in (select unnest($batch_ids))", gone)  # noqa: S608 ours
    marks.require_overlap(connection, sources)
    if first is not None:
        builds.rebuild(connection)
        if kept_from is not None:
            for statement in _RESTORE:
                connection.exec_driver_sql(statement, {"kept_from": kept_from} if "$kept_from" in statement else {})
            builds.place(connection)
        relations.rewind(connection, first - LONGEST_GAP)
        wide.publish(connection)
    watermarks.forget_batches(connection)
