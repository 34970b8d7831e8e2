"""Other DuckDB files on a connection of the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.store.connection import STORAGE
from streammetrics.store.statements import quoted_name


@contextmanager
def attached(connection: Connection, path: Path, name: str, *, writable: bool = False) -> Iterator[str]:
    """Attach a file until the end of the block, where what was written to it is committed; its name as SQL has it.

    The store may be open for reading alone, as it is for a query; a file that is `writable` is not.
    """
    own = connection.exec_driver_sql("select current_database()").scalar_one()
    quoted = quoted_name(connection, name if own.casefold() != name else f"{name}_2")
    options = f"read_write, storage_version '{STORAGE}'" if writable else "read_only"
    literal = str(path).replace("'", "''")
    connection.exec_driver_sql(f"attach '{literal}' as {quoted} ({options})")
    yield quoted
    connection.commit()
    connection.exec_driver_sql(f"detach {quoted}")
