"""Batches taken out of the store again, as after a wrong setting: in, batches that are named; out, what was removed.

Their records leave all tables in one transaction, a row in `unloaded` stays, the next pass judges anew what they
touched, and the next ingest reads their files again. The command `unload` calls it.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from streammetrics.ingest.unload import choice, removal
from streammetrics.ingest.unload.choice import Departing
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import counted, moment, printable
from streammetrics.store.connection import Store

__all__ = ["Departing", "as_json", "render", "summary", "unload"]


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
        ids = choice.named(connection, batch_ids) if batch_ids else choice.loaded_since(connection, source, since)
        found = choice.with_followers(connection, ids)
        removal.remove(connection, [one.batch_id for one in found], now)
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
        "next pass judges anew what they touched"
    ]
    gone = [one for one in found if one.is_file and not one.path.exists()]
    if gone:
        what = counted(len({one.path for one in gone}), "file")
        words.append(
            f"{what} not there any more, such as {printable(str(gone[0].path))}: put back where a source finds it, it "
            "is read again"
        )
    return words
