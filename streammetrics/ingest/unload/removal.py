"""Batches out of all tables, in the caller's transaction: afterwards the store holds what the other batches hold.

`builds`, `build_hours` and `codes` are made anew from the counters that stay. Where retention has removed counters,
only these tables know what lay before its horizon (`kept_from`): of builds and pairs that begin before it they keep
that, less what can be counted of the batches that go. What retention had removed of these very batches stays in them.
"""

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics.errors import UsageError
from streammetrics.ingest import counters_wide
from streammetrics.sources.cursor_state import TEXT, is_passed, parsed
from streammetrics.store import builds, retention, rewind
from streammetrics.store.statements import run

LONGEST_GAP = timedelta(hours=1)
"""Without a record a build may be silent in bins before it: a gap that matters begins at most so long before."""

_SOURCES = "select distinct source from cursor_marks where batch_id in (select unnest($batch_ids))"

_COPIES = "select batch_id from batches where duplicate_of in (select unnest($batch_ids))"

_FIRST = "select min(loaded_at) from batches where source = $source"

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
    _require_overlap(connection, sources)
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


def _require_overlap(connection: Connection, sources: Iterable[str]) -> None:
    """Refuse it where a next run could not know the rows of a database that still count.

    Raises:
        UsageError: of a source, rows behind the floor of its last batch are no longer remembered.
    """
    for source in sources:
        history = run(connection, "jobs/cursor_history", {"source": source, "has_all": True}).all()
        if not history or history[0].kind == TEXT:
            continue
        floor = parsed(history[0].kind, history[0].floor)
        if any(not row.is_known and not is_passed(parsed(row.kind, row.mark), floor) for row in history):
            first = connection.exec_driver_sql(_FIRST, {"source": source}).scalar_one()
            raise UsageError(
                f"[[source]] {source!r}: it is not remembered any more which rows were read up to batch "
                f"{history[0].batch_id}, so that it cannot be read on from there; nothing was changed; unload "
                f"all of it: streammetrics unload --source {shlex.quote(source)} --since {first.isoformat()}"
            )
