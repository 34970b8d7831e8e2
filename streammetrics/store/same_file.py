"""Whether the store that a job has open still lies at its path.

Where the file was removed or replaced meanwhile, as by a restore, DuckDB writes on into a file that has no name any
more, and removes at its end the log at the path, which may be that of the file that lies there now.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from streammetrics.errors import ReplacedStoreError

_KEY = "same_file"
"""Of a connection's `info`; connections to no file, as those of tests, have none."""


def require(connection: Connection) -> None:
    """Before an input goes.

    Raises:
        ReplacedStoreError: the store's file is gone, or another one lies there.
    """
    if _KEY in connection.info:
        connection.info[_KEY].require()


class SameFile:
    """The files at the store's path and at its log's, as they were when the store was opened for writing.

    Args:
        store: the DuckDB file.
        connection: to that file; its commits are watched from now on.
    """

    def __init__(self, store: Path, connection: Connection) -> None:
        self._store, self._log = store, Path(f"{store}.wal")
        self._connection: Any = connection.connection.driver_connection
        self._opened, self._written = identity(store), identity(self._log)
        connection.info[_KEY] = self
        dialect: Any = connection.dialect
        commit = dialect.do_commit
        dialect.do_commit = lambda dbapi_connection: self._commit(lambda: commit(dbapi_connection))

    def require(self) -> None:
        """See above."""
        if identity(self._store) != self._opened:
            raise ReplacedStoreError(
                f"{self._store}: was removed or replaced while this command had it open; nothing was committed after "
                "that, and no input was deleted or moved: run it again"
            )

    def leave(self) -> None:
        """Before the connection is closed: what lies where its log was, and is not that, stays as it is."""
        if identity(self._store) != self._opened and identity(self._log) != self._written:
            self._connection.execute("pragma disable_checkpoint_on_shutdown")

    def _commit(self, commit: Callable[[], None]) -> None:
        try:
            self.require()
        except ReplacedStoreError:
            self._connection.rollback()
            raise
        commit()
        self._written = identity(self._log)


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at a path; None where there is none, or none of ours."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
