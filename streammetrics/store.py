"""The DuckDB file: one writer at a time, one transaction a piece of work.

DuckDB lets one process in: while a writer has the file open nobody else can open it, not even to read. So: open, work,
close; who finds it taken waits up to `lock_wait_seconds`. A sidecar lock stands in front of DuckDB's own, because the
latter is lost when the process that holds it opens and closes the same file in any other way.
"""

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from streammetrics import schema
from streammetrics.errors import InputOutputError, StoreBusyError, StreammetricsError

_HOLDER = re.compile(r"PID (\d+)")
_RETRY_SECONDS = (0.02, 0.2)
# Of files made from now on, which DuckDB 1.3 and later read: its compression of texts makes ingest faster by a fifth.
_STORAGE = "v1.3.0"


class Store:
    """The history of one installation.

    Args:
        path: the DuckDB file; it and its folder are made on first use.
        lock_wait_seconds: how long to wait for another process before `StoreBusyError`.
        memory_limit: what DuckDB may use, such as "700MB"; it spills to `<path>.tmp` beyond that.
    """

    def __init__(self, path: Path, lock_wait_seconds: float = 30, memory_limit: str = "700MB") -> None:
        self.path = path
        self._lock_wait_seconds = lock_wait_seconds
        self._memory_limit = memory_limit

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One connection, for as many transactions as the caller begins on it; others wait meanwhile.

        The schema is brought up to date first.

        Raises:
            StoreBusyError: another process held the store for longer than `lock_wait_seconds`.
            InputOutputError: the file cannot be opened or is not a store.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self._lock_wait_seconds
        lock = filelock.FileLock(f"{self.path}.lock")
        try:
            lock.acquire(timeout=self._lock_wait_seconds, poll_interval=0.05)
        except filelock.Timeout:
            raise self._busy(None) from None
        except OSError as error:
            raise InputOutputError(f"{self.path}: cannot be locked: {error}") from None
        try:
            settings = {"memory_limit": self._memory_limit, "storage_compatibility_version": _STORAGE}
            with self._connect(self._engine(settings), deadline) as connection:
                with connection.begin():
                    schema.migrate(connection)
                yield connection
        finally:
            lock.release()

    @contextmanager
    def read(self, *, locked_down: bool = False) -> Iterator[Connection]:
        """One connection that changes nothing; `locked_down` for SQL that people type: no files, no settings.

        Raises:
            StoreBusyError: a writer held the store for longer than `lock_wait_seconds`.
            InputOutputError: there is no store yet, or it cannot be opened.
        """
        if not self.path.exists():
            raise InputOutputError(f"{self.path}: there is no store yet; `streammetrics ingest` makes one")
        deadline = time.monotonic() + self._lock_wait_seconds
        engine = self._engine({"memory_limit": self._memory_limit}, read_only=True)
        with self._connect(engine, deadline) as connection:
            schema.check(connection, self.path)
            if locked_down:
                for statement in schema.LOCK_DOWN:
                    connection.exec_driver_sql(statement)
            yield connection

    def _engine(self, settings: dict[str, str], read_only: bool = False) -> Engine:
        url = URL.create("duckdb", database=str(self.path))
        # The default pool would keep the file locked after close.
        return create_engine(
            url,
            poolclass=NullPool,
            connect_args={"read_only": read_only, "config": settings},
        )

    @contextmanager
    def _connect(self, engine: Engine, deadline: float) -> Iterator[Connection]:
        while True:
            try:
                connection = engine.connect()
                break
            except DBAPIError as error:
                text = str(error.orig)
                if "Could not set lock" not in text:
                    raise InputOutputError(f"{self.path}: cannot be opened as a store: {text[:300]}") from None
                if time.monotonic() >= deadline:
                    raise self._busy(_HOLDER.search(text)) from None
                time.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311 jitter, not a secret
        try:
            connection.exec_driver_sql("set timezone = 'UTC'")
            # Bars are drawn by us, on terminals only: cron would mail DuckDB's.
            connection.exec_driver_sql("set enable_progress_bar = false")
            connection.commit()
            yield connection
        finally:
            connection.close()
            engine.dispose()

    def _busy(self, holder: re.Match[str] | None) -> StoreBusyError:
        who = f"process {holder.group(1)}" if holder else "another process"
        return StoreBusyError(
            f"{self.path}: {who} has held the store for {self._lock_wait_seconds:g} s; try again later"
        )


def explained(error: Exception) -> StreammetricsError | None:
    """What DuckDB says, as one of our errors, cut, for it echoes records; None for what is not the database's."""
    if not isinstance(error, DBAPIError):
        return None
    text = f"the database failed: {str(error.orig).splitlines()[0][:300]}"
    is_disk = any(sign in text for sign in ("No space left", "IO Error", "Could not write", "FATAL"))
    return (InputOutputError if is_disk else StreammetricsError)(text)
