"""What the store holds, what was judged, what is open and what waits to be read: in a dozen lines."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.errors import StreammetricsError
from streammetrics.report.status import facts, feeds
from streammetrics.report.status.facts import Status
from streammetrics.report.status.feeds import Feed
from streammetrics.report.status.reach import comparisons, reaches
from streammetrics.report.status.words import reach_words, render
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import printable
from streammetrics.sources import discovery, ledger
from streammetrics.store.connection import Store

__all__ = ["Status", "as_json", "collect", "comparisons", "reaches", "render", "young_lines"]


def collect(store: Store, config: Config, now: datetime) -> Status:
    """Find out how things stand at `now` (naive UTC).

    Raises:
        StoreBusyError, InputOutputError: there is a store, but it cannot be read.
    """
    (found, refused), size, contents = discovery.configured(config), 0, None
    unmatched = tuple(_unmatched(config, {file.source.name for file in found}))
    waiting_bytes = sum(file.size for file in found)
    received: tuple[Feed, ...] = ()
    if store.path.exists():
        with store.read() as connection:
            contents, size = facts.contents(connection, config, now), store.path.stat().st_size
            # What can be seen without reading is not of the last run, but of now.
            refused = {**ledger.refused(connection, config), **refused}
            connection.rollback()  # the ledger begins a transaction of its own
            known = ledger.known(connection, config, found)
            found = [file for file in found if file.path not in known and file.path not in refused]
            waiting_bytes = ledger.unread_bytes(connection, found)
            waiting = {file.source.name for file in found}
            received = feeds.feeds(connection, [source.name for source in config.source], sorted(waiting), now)
    return Status(
        now=now,
        store=store.path,
        store_bytes=size,
        contents=contents,
        feeds=received,
        waiting_files=len(found),
        waiting_bytes=waiting_bytes,
        refused=tuple(refused.values()),
        unmatched=unmatched,
    )


def _unmatched(config: Config, matched: Collection[str]) -> Iterator[str]:
    """The sources that no file matches; a spool is empty most of the time."""
    for source in config.source:
        if source.path is None or source.after != "keep" or source.name in matched:
            continue
        # What is wrong with the path itself is refused.
        with suppress(StreammetricsError):
            if not discovery.matching(Path(source.path), config):
                yield f"[[source]] {source.name!r}: no file matches {config.resolve(source.path)}"


def as_json(status: Status) -> str:
    """The same as one line of JSON, times as ISO text in UTC."""
    return terminal.as_json(status.model_dump())


def young_lines(connection: Connection) -> list[str]:
    """What comparisons that are judged for less than a day can find by now, a line each."""
    found = reaches(connection, comparisons(connection))
    return [printable(f"{one.baseline} -> {one.candidate}  {reach_words(one)}") for one in found]
