"""The DuckDB file: one writer at a time, one transaction a piece of work.

DuckDB lets one process in: while a writer has the file open nobody else can open it, not even to read. So: open, work,
close; who finds it taken waits up to `lock_wait_seconds`. Three files stand beside it:

    <store>.queue   held while waiting: who comes first enters next, and readers cannot keep a writer out, nor writers a
                    reader, however fast they come
    <store>.lock    held by a writer beside DuckDB's own lock, which is lost when the process that holds it opens and
                    closes the same file in any other way
    <store>.pid     the process that holds the store, for the message of those that have waited in vain
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import filelock
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from streammetrics import failpoints, interrupts, schema, whole
from streammetrics.errors import DamagedStoreError, InputOutputError, StoreBusyError, StreammetricsError

STORAGE = "v1.3.0"
"""Of files made from now on, which DuckDB 1.3 and later read: its compression makes ingest faster by a fifth."""

_HOLDER = re.compile(r"PID (\d+)")
_RETRY_SECONDS = (0.02, 0.1)
_DAMAGE = re.compile("FATAL|INTERNAL|[Cc]orrupt|[Cc]hecksum|[Ss]erializ|not a valid|replaying WAL")
REMEDY = "`streammetrics doctor` tells whether it is damaged, and a backup replaces it"

T = TypeVar("T")


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
            InputOutputError: the file cannot be opened or is not a store; it is damaged: DamagedStoreError.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = self._engine({"memory_limit": self._memory_limit, "storage_compatibility_version": STORAGE})
        with self._opened(engine, alone=True) as connection:
            schema.migrate(connection)
            yield connection

    @contextmanager
    def read(self, *, locked_down: bool = False) -> Iterator[Connection]:
        """One connection that changes nothing; `locked_down` for SQL that people type: no files, no settings.

        Raises:
            StoreBusyError: a writer held the store for longer than `lock_wait_seconds`.
            InputOutputError: there is no store yet, or it cannot be opened.
        """
        self.require()
        engine = self._engine({"memory_limit": self._memory_limit}, read_only=True)
        with self._opened(engine, alone=False) as connection:
            schema.check(connection, self.path)
            if locked_down:
                for statement in schema.LOCK_DOWN:
                    connection.exec_driver_sql(statement)
            yield connection

    def require(self) -> None:
        """Refuse to go on without a store, which only ingest makes.

        Raises:
            InputOutputError: there is none.
        """
        if not self.path.exists():
            raise InputOutputError(f"{self.path}: there is no store yet; `streammetrics ingest` makes one")

    def _engine(self, settings: dict[str, str], read_only: bool = False) -> Engine:
        url = URL.create("duckdb", database=str(self.path))
        # The default pool would keep the file locked after close.
        engine = create_engine(url, poolclass=NullPool, connect_args={"read_only": read_only, "config": settings})
        event.listen(engine, "handle_error", _end_when_asked)
        event.listen(engine, "before_cursor_execute", _unscanned, retval=True)
        failpoints.watch_commits(engine.dialect)
        return engine

    @contextmanager
    def _opened(self, engine: Engine, *, alone: bool) -> Iterator[Connection]:
        with ExitStack() as held:
            connection = self._enter(engine, held, alone)
            held.callback(engine.dispose)
            held.callback(connection.close)
            connection.exec_driver_sql("set timezone = 'UTC'")
            # Bars are drawn by us, on terminals only: cron would mail DuckDB's.
            connection.exec_driver_sql("set enable_progress_bar = false")
            connection.commit()
            yield connection

    def _enter(self, engine: Engine, held: ExitStack, alone: bool) -> Connection:
        """Wait in the queue, at its head for the writer inside, then for readers; the writer's lock goes to `held`."""
        deadline = time.monotonic() + self._lock_wait_seconds
        with ExitStack() as waiting:
            try:
                self._lock("queue", waiting, deadline)
                self._lock("lock", held if alone else waiting, deadline)
            except OSError as error:
                if alone:
                    raise InputOutputError(f"{self.path}: cannot be locked: {error}") from None
                # Who may not write here may read all the same, without a place in the queue.
            connection = self._wait_for(lambda: self._connected(engine), deadline)
            if alone:
                self._tell_holder(os.getpid())
                held.callback(self._holder.unlink, missing_ok=True)
            return connection

    def _lock(self, kind: str, held: ExitStack, deadline: float) -> None:
        lock = filelock.FileLock(f"{self.path}.{kind}")

        def acquired() -> bool | None:
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                return None
            return True

        self._wait_for(acquired, deadline)
        held.callback(lock.release)

    def _wait_for(self, attempt: Callable[[], T | None], deadline: float) -> T:
        while (found := attempt()) is None:
            if time.monotonic() >= deadline:
                raise self._busy()
            time.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311 jitter, not a secret
        return found

    def _connected(self, engine: Engine) -> Connection | None:
        """None while another process has the file, which is told of."""
        try:
            return engine.connect()
        except DBAPIError as error:
            text = str(error.orig)
            if "Could not set lock" not in text:
                message = f"{self.path}: cannot be opened as a store: {whole.reason(text)}"
                if whole.is_full(text) or "Permission denied" in text:
                    raise InputOutputError(message) from None
                raise DamagedStoreError(f"{message}; {REMEDY}") from None
            holder = _HOLDER.search(text)
            if holder:
                self._tell_holder(int(holder[1]))
            return None

    @property
    def _holder(self) -> Path:
        return Path(f"{self.path}.pid")

    def _tell_holder(self, process: int) -> None:
        # In place and of one length, for others read it. On a full disk, or in a folder of others, nobody is told.
        with suppress(OSError):
            descriptor = os.open(self._holder, os.O_WRONLY | os.O_CREAT, 0o666)
            try:
                os.pwrite(descriptor, b"%-10d" % process, 0)
            finally:
                os.close(descriptor)

    def _busy(self) -> StoreBusyError:
        who = "another process"
        with suppress(OSError, ValueError):
            who = f"process {int(self._holder.read_text())}"
        return StoreBusyError(
            f"{self.path}: {who} has held the store for {self._lock_wait_seconds:g} s; try again later"
        )


def begins_as_store(path: Path) -> bool:
    """Whether a file begins as every DuckDB file does."""
    with path.open("rb") as stream:
        return stream.read(12)[8:] == b"DUCK"


def explained(error: BaseException) -> StreammetricsError | None:
    """What DuckDB or the system says, as one of our errors, with what to do; None for what is neither's."""
    import duckdb

    if isinstance(error, OSError):
        return InputOutputError(f"{error.filename or 'a file'}: {whole.reason(error)}")
    if isinstance(error, DBAPIError):
        error = error.orig or error
    if not isinstance(error, duckdb.Error):
        return None
    text = whole.reason(error)
    if whole.is_full(error):
        return InputOutputError(f"the disk is full: {text}")
    if _DAMAGE.search(text):
        return DamagedStoreError(f"the store cannot be read or written: {text}; {REMEDY}")
    return (InputOutputError if "IO Error" in text else StreammetricsError)(f"the database failed: {text}")


def _end_when_asked(context: ExceptionContext) -> None:
    """DuckDB tells of a signal as an error of the statement, and its other threads work on until told to stop."""
    asked = interrupts.cause(context.original_exception)
    if asked is not None and context.connection is not None:
        context.connection.connection.driver_connection.interrupt()  # type: ignore[union-attr]
        raise asked from None


def _unscanned(_connection: Connection, _cursor: object, statement: str, parameters: T, *_: object) -> tuple[str, T]:
    """DuckDB answers DDL with a count, and the dialect then reads the statement, letter by letter, to know it from DML.

    At a semicolon with more behind it the dialect gives up, so that one stands in front. A view's text takes half as
    long to be read as the view to be made.
    """
    return (f";{statement}" if statement.lstrip().startswith("create ") else statement), parameters
