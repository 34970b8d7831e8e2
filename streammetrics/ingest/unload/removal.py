"""Batches out of all tables, in the caller's transaction: afterwards the store holds what the other batches hold.

`builds`, `build_hours` and `codes` are made anew from the counters that stay. Where retention has removed counters,
only these tables know what lay before its horizon (`kept_from`): of builds and pairs that begin before it they keep
that, less what can be counted of the batches that go. What retention had removed of these very batches stays in them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics.ingest import counters_wide
from streammetrics.sources import cursor_state
from streammetrics.store import builds, retention, rewind
from streammetrics.store.statements import run

LONGEST_GAP = timedelta(hours=1)
"""Without a record a build may be silent in bins before it: a gap that matters begins at most so long before."""

_SOURCES = "select distinct source from cursor_marks where batch_id in (select unnest($batch_ids))"

_COPIES = "select batch_id from batches where duplicate_of in (select unnest($batch_ids))"

_TABLES = ("events", "counters", "rejects", "contents", "replaced", "cursor_rows", "cursor_marks", "batches")

_BUILDS_BEFORE = "create or replace temp table builds_before as from builds where first_second < $kept_from"

_HOURS_BEFORE = (
    "create or replace temp table hours_before as from build_hours where hour_second < epoch($kept_from::timestamp)"
)

# Rows that are known from before retention's horizon, in place of those of the counters that are kept.
_RESTORE = (
    "delete from codes where (build, code) in (select build, code from codes_before)",
    "insert into codes by name from codes_before",
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
    run(connection, "jobs/unload_keep_rows", {**ids, "now": now})
    run(connection, "jobs/unload_forget_missed", ids)
    span = "select min(second), max(second) from counters where batch_id in (select unnest($batch_ids))"
    first, last = connection.exec_driver_sql(span, ids).one()
    kept_from = retention.kept_from(connection)
    if kept_from is not None:
        run(connection, "jobs/unload_count_departed", {**ids, "first_second": first, "last_second": last})
        run(connection, "jobs/unload_codes_before", {**ids, "kept_from": kept_from})
        connection.exec_driver_sql(_BUILDS_BEFORE, {"kept_from": kept_from})
        connection.exec_driver_sql(_HOURS_BEFORE, {"kept_from": kept_from})
    sources = connection.exec_driver_sql(_SOURCES, ids).scalars().all()
    copies = connection.exec_driver_sql(_COPIES, ids).scalars().all()
    for table in _TABLES:
        gone = {"batch_ids": [*batch_ids, *copies]}
        connection.exec_driver_sql(f"delete from {table} where batch_id in (select unnest($batch_ids))", gone)  # noqa: S608 ours
    cursor_state.require_overlap(connection, sources)
    if first is not None:
        builds.rebuild(connection)
        if kept_from is not None:
            run(connection, "jobs/unload_complete_codes")
            run(connection, "jobs/unload_complete_builds", {"kept_from": kept_from})
            for restore in _RESTORE:
                connection.exec_driver_sql(restore)
            builds.place(connection)
        rewind.rewind(connection, first - LONGEST_GAP)
        counters_wide.publish(connection)
    rewind.forget_batches(connection)
