"""The base tables: an empty or older store is brought up to this version by the files of sql/schema/.

A file's number is the version that it leads to. Files that were released are never edited: a store that lies somewhere
was made by them.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.errors import InputOutputError
from streammetrics.store.statements import folder

SESSION = ("set timezone = 'UTC'", "set enable_external_file_cache = false")
"""Of each connection. Files are read through descriptors, whose paths are used again: DuckDB's cache of Parquet, by
path, size and second, took what it held of one file for another one.
"""

LOCK_DOWN = ("set allowed_directories = []", "set enable_external_access = false", "set lock_configuration = true")
"""In this order: once the configuration is locked nothing can be taken back."""


@cache
def migrations() -> tuple[tuple[str, ...], ...]:
    """The statements of sql/schema/001.sql, 002.sql and so on. Each statement ends with a semicolon at a line's end.

    Raises:
        InputOutputError: the installation lacks its SQL.
    """
    return tuple(_statements(path.read_text(encoding="utf-8")) for path in sorted((folder() / "schema").glob("*.sql")))


def migrate(connection: Connection) -> None:
    """Bring an empty or older store up to this version, each version in a transaction of its own.

    Raises:
        InputOutputError: the store was written by a later version of the program.
    """
    version = _version(connection)
    _refuse_later(version, "the store")
    if version == 0 and connection.exec_driver_sql("select count(*) from duckdb_tables()").scalar_one():
        raise InputOutputError("the store's file is a database of another program; name another with store.path")
    connection.rollback()
    for reached, statements in enumerate(migrations()[version:], start=version + 1):
        with connection.begin():
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("update store_info set schema_version = ?", (reached,))


def check(connection: Connection, path: Path) -> None:
    """Refuse to read a store whose tables this version does not know.

    Raises:
        InputOutputError: the store is older or later than this program, or is another program's file.
    """
    version = _version(connection)
    _refuse_later(version, str(path))
    if version == 0:
        raise InputOutputError(f"{path}: is no store yet; `streammetrics ingest` makes it one")
    if version < len(migrations()):
        raise InputOutputError(
            f"{path}: is of schema version {version}, this program's is {len(migrations())}; "
            "`streammetrics ingest` brings it up to date"
        )


def _statements(text: str) -> tuple[str, ...]:
    """Comments stand on lines of their own."""
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return tuple(part.strip().removesuffix(";") for part in "\n".join(lines).split(";\n") if part.strip())


def _version(connection: Connection) -> int:
    found = connection.exec_driver_sql(
        "select count(*) from duckdb_tables() where schema_name = 'main' and table_name = 'store_info'"
    ).scalar_one()
    if not found:
        return 0
    return int(connection.exec_driver_sql("select schema_version from store_info").scalar_one())


def _refuse_later(version: int, what: str) -> None:
    if version > len(migrations()):
        raise InputOutputError(
            f"{what}: is of schema version {version}, later than this program's {len(migrations())}; "
            "use the program that wrote it"
        )
