"""Which batches go: those that are named, and what was read behind them.

A file or database is read on from its last batch. So that what is removed is read again, all later batches of the same
file or database go as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.errors import UsageError
from streammetrics.runtime.terminal import moment
from streammetrics.store.statements import run

_LIST = '`streammetrics query "select batch_id, source, path, records, loaded_at from batches"` lists them'


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
