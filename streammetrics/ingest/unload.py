"""Batches taken out of the store again, as after a wrong setting: in, batches that are named; out, what was removed.

Their records leave all tables in one transaction, a row in `unloaded` stays, the next pass judges again what they
touched, and the next ingest reads their files again. A file or database is read on from its last batch, so that all
later batches of the same one go as well. The command `unload` calls it.

`builds`, `build_hours` and `codes` are rebuilt from the counters that stay. Where retention has removed counters,
only these tables know what lay before its horizon (`kept_from`): of builds and pairs that begin before it they keep
that, less what can be counted of the batches that go. What retention had removed of these very batches stays in them.
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
"""Without a record a build may be silent in bins before it: a gap that matters begins at most so long before."""

_SOURCES = "select distinct source from cursor_marks where batch_id in (select unnest($batch_ids))"

_COPIES = "select batch_id from batches where duplicate_of in (select unnest($batch_ids))"

_FIRST = "select min(loaded_at) from batches where source = $source"

_TABLES = ("events", "counters", "rejects", "contents", "replaced", "cursor_rows", "cursor_marks", "loads", "batches")

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


@dataclass(frozen=True)
class Departing:
    """A batch that goes. `continues`: the batch before it, where it goes because that does. `loaded_at`: naive UTC."""

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
    """Remove these batches, or those of a source that were loaded at or after a time, and what continues them.

    Args:
        since, now: naive UTC.

    Raises:
        UsageError: there is no such batch, or it holds nothing of its own; nothing was changed.
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
    """What was done, in words, and what a person has to do for a file to be read again."""
    records = counted(sum(one.records for one in found), "record")
    words = [
        f"{counted(len(found), 'batch', 'batches')} unloaded, {records}; the next ingest reads them again, and the "
        "next pass judges again what they touched"
    ]
    gone = [one for one in found if one.is_file and not one.path.exists()]
    if gone:
        what = counted(len({one.path for one in gone}), "file")
        words.append(
            f"{what} not there any more, such as {printable(str(gone[0].path))}: put back where a source finds it, it "
            "is read again"
        )
    return words


def named(connection: Connection, batch_ids: Sequence[int]) -> list[int]:
    """The batches of these numbers.

    Raises:
        UsageError: one of them is not in the ledger, or stands for the content of another one.
    """
    for row in run(connection, "jobs/unload_named", {"batch_ids": list(batch_ids)}):
        if row.unloaded_at is not None:
            raise UsageError(f"batch {row.batch_id} was unloaded at {moment(row.unloaded_at)} already")
        if not row.is_known:
            raise UsageError(f"there is no batch {row.batch_id}; {_LIST}")
        if row.duplicate_of is not None:
            raise UsageError(
                f"batch {row.batch_id} has no records of its own: its content counts as batch {row.duplicate_of}; "
                "unload that one"
            )
    return sorted(set(batch_ids))


def loaded_since(connection: Connection, source: str | None, since: datetime | None) -> list[int]:
    """The batches of a source that were loaded at or after a time (naive UTC).

    Raises:
        UsageError: there is none, or one of the two is not given.
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
    """These batches, and the later ones of the same files and databases, in order of their numbers."""
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
                f"all of it: `streammetrics unload --source {shlex.quote(source)} --since {first.isoformat()}`"
            )
