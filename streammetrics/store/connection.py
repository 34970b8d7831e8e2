"""The DuckDB file: one writer at a time, one transaction a piece of work.

DuckDB lets one process in: while a writer has the file open nobody else can open it, not even to read. So: open, work,
close; who finds it taken waits up to `lock_wait_seconds`, in turn (`turns`).
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from streammetrics.errors import DamagedStoreError, InputOutputError, StreammetricsError
from streammetrics.runtime import atomic_files, failpoints, interrupts
from streammetrics.store import same_file, schema, spill, turns

STORAGE = "v1.3.0"
"""Of files made from now on, which DuckDB 1.3 and later read: its compression makes ingest faster by a fifth."""

_HOLDER = re.compile(r"PID (\d+)")
_DAMAGE = re.compile("FATAL|INTERNAL|[Cc]orrupt|[Cc]hecksum|[Ss]erializ|not a valid|replaying WAL")
REMEDY = "`streammetrics doctor` shows whether it is damaged, and a backup replaces it"

T = TypeVar("T")


class Store:
    """The history of one installation.

    Args:
        path: the DuckDB file; it and its folder are made on first use.
        lock_wait_seconds: how long to wait for another process before `StoreBusyError`.
        memory_limit: what DuckDB may use, such as "700MB"; beyond that it spills, see `spill`.
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
        settings = {"memory_limit": self._memory_limit, "storage_compatibility_version": STORAGE}
        with self._opened(settings, alone=True) as connection:
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
        with self._opened({"memory_limit": self._memory_limit}, alone=False) as connection:
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

    def _engine(self, settings: dict[str, str], *, read_only: bool) -> Engine:
        url = URL.create("duckdb", database=str(self.path))
        # The default pool would keep the file locked after close.
        engine = create_engine(url, poolclass=NullPool, connect_args={"read_only": read_only, "config": settings})
        event.listen(engine, "handle_error", _end_when_interrupted)
        event.listen(engine, "before_cursor_execute", _unscanned, retval=True)
        return engine

    @contextmanager
    def _opened(self, settings: dict[str, str], *, alone: bool) -> Iterator[Connection]:
        if self.path.exists() and not self.path.is_file():
            # DuckDB would wait for ever for who writes to a pipe.
            raise InputOutputError(f"{self.path}: is no regular file; set path in [store] to the file of the history")
        with ExitStack() as held:
            turn = held.enter_context(turns.Turn(self.path, self._lock_wait_seconds))
            spilled = held.enter_context(spill.folder(self.path))
            engine = self._engine({**settings, "temp_directory": str(spilled or "")}, read_only=not alone)
            connection = turn.enter(lambda: self._connected(engine), alone=alone)
            held.callback(engine.dispose)
            held.callback(connection.close)
            if alone:
                turn.claim()
                held.callback(same_file.SameFile(self.path, connection).leave)
            # Around that check, so that the file can be replaced at any commit.
            failpoints.watch_commits(engine.dialect)
            for setting in schema.SESSION:
                connection.exec_driver_sql(setting)
            # Bars are drawn by us, on terminals only: cron would mail DuckDB's.
            connection.exec_driver_sql("set enable_progress_bar = false")
            if spilled is not None:
                connection.exec_driver_sql(spill.bound(spilled))
            connection.commit()
            yield connection

    def _connected(self, engine: Engine) -> Connection:
        """A connection.

        Raises:
            TakenError: another process has the file.
            InputOutputError: it cannot be opened; it is damaged: DamagedStoreError.
        """
        lying = same_file.identity(self.path)
        try:
            connection = engine.connect()
        except DBAPIError as error:
            text = str(error.orig)
            if "Could not set lock" in text:
                holder = _HOLDER.search(text)
                raise turns.TakenError(int(holder[1]) if holder else None) from None
            message = f"{self.path}: cannot be opened as a store: {atomic_files.reason(text)}"
            if atomic_files.is_full(text) or "Permission denied" in text:
                raise InputOutputError(message) from None
            raise DamagedStoreError(f"{message}; {REMEDY}") from None
        if lying not in (None, same_file.identity(self.path)):
            connection.close()
            raise turns.TakenError(None)
        return connection


def begins_as_store(path: Path) -> bool:
    """Whether a file begins as every DuckDB file does."""
    with path.open("rb") as stream:
        return stream.read(12)[8:] == b"DUCK"


def explained(error: BaseException) -> StreammetricsError | None:
    """An error of DuckDB or the system as one of ours, with what to do; None for other errors."""
    import duckdb

    if isinstance(error, OSError):
        return InputOutputError(f"{error.filename or 'a file'}: {atomic_files.reason(error)}")
    if isinstance(error, DBAPIError):
        error = error.orig or error
    if not isinstance(error, duckdb.Error):
        return None
    text = atomic_files.reason(error)
    if exceeded := spill.exceeded(error):
        return InputOutputError(exceeded)
    if isinstance(error, duckdb.OutOfMemoryException):
        remedy = "raise [store] memory_limit; where codes hold ids, [[source]] code_pattern makes them fewer"
        return InputOutputError(f"the database needs more memory: {text}; {remedy}")
    if atomic_files.is_full(error):
        return InputOutputError(f"the disk is full: {text}")
    if _DAMAGE.search(text):
        return DamagedStoreError(f"the store cannot be read or written: {text}; {REMEDY}")
    return (InputOutputError if "IO Error" in text else StreammetricsError)(f"the database failed: {text}")


def _end_when_interrupted(context: ExceptionContext) -> None:
    """DuckDB reports a signal as an error of the statement, and its other threads work on until they are stopped."""
    cause = interrupts.cause(context.original_exception)
    if cause is not None and context.connection is not None:
        context.connection.connection.driver_connection.interrupt()  # type: ignore[union-attr]
        raise cause from None


def _unscanned(_connection: Connection, _cursor: object, statement: str, parameters: T, *_: object) -> tuple[str, T]:
    """DuckDB answers DDL with a count, and the dialect then reads the statement, letter by letter, to know it from DML.

    At a semicolon with more behind it the dialect gives up, so that one stands in front. A view's text takes half as
    long to be read as the view to be made.
    """
    return (f";{statement}" if statement.lstrip().startswith("create ") else statement), parameters
