"""Removes batches from the store, for example after a wrong setting; returns what was removed.

One transaction deletes their records from all tables and adds a row to `unloaded`. The next pass judges the affected
bins again, and the next ingest reads the files again. A file or database is continued from its last batch, so all its
later batches are removed too. The command `unload` calls it.

`builds`, `build_hours` and `codes` are rebuilt from the remaining counters. If retention has removed counters, only
these tables know what was before its horizon (`kept_from`). Builds and pairs that begin before it keep their rows,
minus what the removed batches still have in counters. What retention had removed of these batches stays in the rows.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.errors import UsageError
from streammetrics.ingest import counters_wide
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import counted, moment, printable
from streammetrics.sources.cursor_state import TEXT, is_passed, parsed
from streammetrics.store import builds, retention, rewind
from streammetrics.store.connection import Store
from streammetrics.store.statements import run

_LIST = '`streammetrics query "select batch_id, source, path, records, loaded_at from batches"` lists them'

LONGEST_GAP = timedelta(hours=1)
"""Without a record, a build may be silent in the bins before it: such a gap begins at most this long before."""

_SOURCES = "select distinct source from cursor_marks where batch_id in (select unnest($batch_ids))"

_COPIES = "select batch_id from batches where duplicate_of in (select unnest($batch_ids))"

_FIRST = "select min(loaded_at) from batches where source = $source"

_TABLES = ("events", "counters", "rejects", "contents", "replaced", "cursor_rows", "cursor_marks", "loads", "batches")

_BUILDS_BEFORE = "create or replace temp table builds_before as from builds where first_second < $kept_from"

_HOURS_BEFORE = (
    "create or replace temp table hours_before as from build_hours where hour_second < epoch($kept_from::timestamp)"
)

# Rows from before retention's horizon replace those computed from the remaining counters.
_RESTORE = (
    "delete from codes where (build, code) in (select build, code from codes_before)",
    "insert into codes by name from codes_before",
    "delete from builds where build in (select build from builds_before)",
    "insert into builds by name from builds_before",
    "insert into build_hours by name from hours_before",
)


@dataclass(frozen=True)
class Departing:
    """A batch to remove. `continues`: the earlier batch because of which it is removed. `loaded_at`: naive UTC."""

    batch_id: int
    source: str
    path: Path
    records: int
    rejected: int
    loaded_at: datetime
    is_file: bool
    continues: int | None = None


def unload(
    store: Store, batch_ids: Sequence[int], source: str | None, since: datetime | None, now: datetime
) -> list[Departing]:
    """Remove these batches, or those of a source that were loaded at or after a time, and batches that continue them.

    Args:
        since, now: naive UTC.

    Raises:
        UsageError: there is no such batch, or it is a duplicate of another one; nothing was changed.
        InputOutputError: there is no store.
        StoreBusyError: another process held it for too long.
    """
    store.require()
    with store.write() as connection, connection.begin():
        ids = named(connection, batch_ids) if batch_ids else loaded_since(connection, source, since)
        found = with_followers(connection, ids)
        remove(connection, [one.batch_id for one in found], now)
    return found


def render(found: Departing) -> str:
    """A line for people."""
    rejected = f", {found.rejected:,} rejected" if found.rejected else ""
    why = "" if found.continues is None else f"; it continues batch {found.continues}"
    what = counted(found.records, "record")
    return printable(f"batch {found.batch_id}: {found.path}: {what}{rejected}, loaded {moment(found.loaded_at)}{why}")


def as_json(found: Departing) -> str:
    """One line for programs."""
    return terminal.as_json({**asdict(found), "path": str(found.path)})


def summary(found: Sequence[Departing]) -> list[str]:
    """Sentences: what was done, and what to do so that a missing file is read again."""
    records = counted(sum(one.records for one in found), "record")
    words = [
        f"{counted(len(found), 'batch', 'batches')} unloaded, {records}; the next ingest reads them again, and the "
        "next pass judges the affected bins again"
    ]
    gone = [one for one in found if one.is_file and not one.path.exists()]
    if gone:
        what = counted(len({one.path for one in gone}), "file")
        words.append(
            f"{what} no longer there, such as {printable(str(gone[0].path))}: move it back to a path of a [[source]] "
            "to have it read again"
        )
    return words


def named(connection: Connection, batch_ids: Sequence[int]) -> list[int]:
    """The batches of these numbers.

    Raises:
        UsageError: one of them is not in the ledger, or is a duplicate of another one.
    """
    for row in run(connection, "jobs/unload_named", {"batch_ids": list(batch_ids)}):
        if row.unloaded_at is not None:
            raise UsageError(f"batch {row.batch_id} was unloaded at {moment(row.unloaded_at)} already")
        if not row.is_known:
            raise UsageError(f"there is no batch {row.batch_id}; {_LIST}")
        if row.duplicate_of is not None:
            raise UsageError(
                f"batch {row.batch_id} has no records of its own: its content was loaded as batch {row.duplicate_of}; "
                "unload that one"
            )
    return sorted(set(batch_ids))


def loaded_since(connection: Connection, source: str | None, since: datetime | None) -> list[int]:
    """The batches of a source that were loaded at or after a time (naive UTC).

    Raises:
        UsageError: there is none, or the source or the time is missing.
    """
    if source is None or since is None:
        raise UsageError("name the batches to unload, or give both --source NAME and --since TIME; " + _LIST)
    found = list(run(connection, "jobs/unload_loaded_since", {"source": source, "since": since}).scalars())
    if not found:
        last = {row.source: row.loaded_at for row in run(connection, "jobs/unload_sources")}
        if source in last:
            raise UsageError(
                f"no batch of source {source!r} was loaded since {moment(since)}; the last one was at "
                f"{moment(last[source])}"
            )
        raise UsageError(f"no batch is of source {source!r}; there are batches of: {', '.join(last) or 'none'}")
    return found


def with_followers(connection: Connection, batch_ids: Sequence[int]) -> list[Departing]:
    """These batches, and later ones of the same files and databases, in order of their numbers."""
    departing: dict[int, int | None] = dict.fromkeys(batch_ids)
    # A batch has a higher number than the one that it continues.
    for batch_id, continues in run(connection, "jobs/unload_followers"):
        if continues in departing:
            departing.setdefault(batch_id, continues)
    rows = run(connection, "jobs/unload_departing", {"batch_ids": list(departing)}).all()
    return [
        Departing(batch_id, source, Path(path), records, rejected, loaded_at, is_file, departing[batch_id])
        for batch_id, source, path, records, rejected, loaded_at, is_file in rows
    ]


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
    gone = {"batch_ids": [*batch_ids, *copies]}
    run(connection, "jobs/unload_forget_loads", gone)
    for table in _TABLES:
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
    """Refuse to unload if the next run could not recognize the rows of a database that still count.

    Raises:
        UsageError: the rows within the overlap of a source's last remaining batch are no longer stored.
    """
    for source in sources:
        history = run(connection, "jobs/cursor_history", {"source": source, "has_all": True}).all()
        if not history or history[0].kind == TEXT:
            continue
        floor = parsed(history[0].kind, history[0].floor)
        if any(not row.is_known and not is_passed(parsed(row.kind, row.mark), floor) for row in history):
            first = connection.exec_driver_sql(_FIRST, {"source": source}).scalar_one()
            raise UsageError(
                f"[[source]] {source!r}: the store no longer knows which rows were read up to batch "
                f"{history[0].batch_id}, so the source cannot be continued there; nothing was changed; unload "
                f"all of it: `streammetrics unload --source {shlex.quote(source)} --since {first.isoformat()}`"
            )
