"""Runs all checks and words the findings; starts the repair."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import duckdb
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config
from streammetrics.doctor import around, checks, repair
from streammetrics.doctor.findings import Finding
from streammetrics.errors import DamagedStoreError
from streammetrics.runtime import atomic_files, terminal
from streammetrics.store.connection import Store

__all__ = ["Finding", "as_json", "examine", "mend", "render"]


def examine(store: Store, config: Config, now: datetime) -> Iterator[Finding]:
    """Everything that is wrong at `now` (naive UTC), also if the store does not open.

    Raises:
        StoreBusyError: another process held the store for too long.
        InputOutputError: there is no store, or it is of another version or program.
    """
    try:
        with store.read() as connection:
            yield from around.around(connection, config)
            yield from checks.check(connection, now, has_log=Path(f"{store.path}.wal").exists())
    except DBAPIError as error:
        if isinstance(error.orig, duckdb.OutOfMemoryException) or atomic_files.is_full(error):
            raise
        yield around.damage(store.path, str(error.orig).splitlines()[0][:300])
    except DamagedStoreError as error:
        yield around.damage(store.path, str(error))


def mend(store: Store) -> list[str]:
    """Rebuild what follows from the records, all or nothing; returns what that was, in words.

    Raises:
        InputOutputError: there is no store.
    """
    store.require()
    with store.write() as connection, connection.begin():
        return list(repair.repair(connection))


def render(finding: Finding) -> str:
    """Two lines for people."""
    return "\n".join(map(terminal.printable, (f"{finding.check}: {finding.what}", f"  -> {finding.advice}")))


def as_json(finding: Finding) -> str:
    """One line for programs."""
    return terminal.as_json(asdict(finding))
