"""Rows of the store as Arrow tables, and Arrow tables as temporary tables of the store; in the caller's transaction."""

from typing import Any

from sqlalchemy import Connection


def fetched(connection: Connection, select: str) -> Any:
    """The rows of a query, a `pyarrow.Table`."""
    return _driver(connection).execute(select).to_arrow_table()


def put(connection: Connection, name: str, table: Any) -> None:
    """Make the temporary table `name` of a `pyarrow.Table`."""
    driver = _driver(connection)
    driver.register("arrow_rows", table)
    try:
        driver.execute(f"create or replace temp table {name} as select * from arrow_rows")  # noqa: S608 our own names
    finally:
        driver.unregister("arrow_rows")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
