"""A copy of the store that is whole, while jobs run: it waits its turn, and a job that comes meanwhile waits for it.

The database copies itself. Copying its file would not do: a process that opens and closes it beside the database loses
the lock on it, and what the log holds would be missing.
"""

from pathlib import Path

from sqlalchemy.exc import DBAPIError

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.runtime import atomic_files
from streammetrics.store.attached import attached
from streammetrics.store.connection import Store, begins_as_store, explained
from streammetrics.store.statements import quoted_name


def backup(store: Store, target: Path) -> int:
    """Write a copy to `target`, which appears whole or stays what it was; its size in bytes.

    Raises:
        UsageError: the target is the store or a file that belongs to it, or holds anything but a DuckDB file.
        InputOutputError: the copy cannot be written, or the store cannot be read.
        StoreBusyError: another process held the store for too long.
    """
    beside = [store.path, *(Path(f"{store.path}.{suffix}") for suffix in ("wal", "lock", "queue", "notices"))]
    if target.resolve() in [path.resolve() for path in beside]:
        raise UsageError(f"{target}: is the store itself, or belongs to it; name another file")
    if target.is_file() and target.stat().st_size and not begins_as_store(target):
        raise UsageError(f"{target}: is no DuckDB file, so that no backup replaces it; name another file")
    try:
        with atomic_files.replacing(target) as unfinished:
            with store.read() as connection:
                name = connection.exec_driver_sql("select current_database()").scalar_one()
                with attached(connection, unfinished, "copy", writable=True) as copy:
                    connection.exec_driver_sql(f"copy from database {quoted_name(connection, name)} to {copy}")
            size = unfinished.stat().st_size
    except OSError as error:
        raise InputOutputError(f"{target}: cannot be written: {atomic_files.reason(error)}") from None
    except DBAPIError as error:
        raise explained(error) or error from None
    return size
