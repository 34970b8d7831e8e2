"""Exports alerts and incidents to tables of another database: rows are inserted or replaced by key.

An export compares before it writes, so that repeating it changes nothing. It is one transaction of that database. The
store is free meanwhile, because the rows are copied into a temporary file first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Double,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    inspect,
    select,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.query import time_range
from streammetrics.query.time_range import Span
from streammetrics.runtime import databases
from streammetrics.store.attached import attached
from streammetrics.store.connection import Store
from streammetrics.store.statements import statement

KEYS = {"alerts": ("alert_id",), "incidents": ("incident_id",), "alert_revisions": ("alert_id", "revision")}
"""The relations that can be exported, and their key columns."""

_TYPES: dict[str, Any] = {
    "BIGINT": BigInteger(),
    "DOUBLE": Double(),
    "VARCHAR": Text(),
    # The default type drops fractions of seconds.
    "TIMESTAMP": DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
}

_ROWS = 500
"""Rows per statement: databases limit the number of parameters."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Exported:
    """How many rows were exported to `place`, and how many of them were new or changed there."""

    place: str
    rows: int
    changed: int


def url_of(text: str, password_env: str | None = None, password_file: Path | None = None) -> URL:
    """The URL of a database, with the password that an environment variable or a file holds.

    Raises:
        UsageError: it is no URL of SQLAlchemy, is a DuckDB file, or the password is given twice.
        ConfigError, InputOutputError: the variable or file has no password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The library's message may contain the password.
        example = "postgresql+psycopg://user@host/database"
        raise UsageError(f"--to: is not a URL of SQLAlchemy, such as {example}") from None
    if url.get_backend_name() == "duckdb":
        raise UsageError("--to: a DuckDB file is written by [publish] of config.toml, or by `streammetrics backup`")
    if sum(given is not None for given in (url.password, password_env, password_file)) > 1:
        raise UsageError("the password is given twice: in the URL, by --password-env or by --password-file")
    return databases.with_password(url, password_env, password_file, "--to")


def export(store: Store, relation: str, url: URL, within: Span) -> Exported:
    """Update the table of the same name, or create it. Rows that retention removed from the store stay there.

    Incidents that were withdrawn, or joined to others, are deleted there.

    Raises:
        UsageError: the relation has no keys.
        ConfigError: a driver is missing.
        InputOutputError: the database cannot be reached or written, or its table lacks a column.
        StoreBusyError: another process held the store for too long.
    """
    if relation not in KEYS:
        raise UsageError(f"{relation}: only {', '.join(KEYS)} can be exported to a database")
    place = databases.shown(url)
    with TemporaryDirectory(prefix="streammetrics-") as folder:
        copy = Path(folder, "copy.duckdb")
        _copy(store, relation, within, copy)
        with (
            duckdb.connect(str(copy), read_only=True) as rows,
            databases.without_secrets(place, url, "cannot be written"),
        ):
            engine = databases.engine(url)
            try:
                with engine.begin() as target:
                    return Exported(place, *_bring_up_to_date(rows, target, relation, place))
            finally:
                engine.dispose()


def _copy(store: Store, relation: str, within: Span, path: Path) -> None:
    """Write the exported rows, and the numbers of withdrawn incidents, to a DuckDB file."""
    with store.read() as connection, attached(connection, path, "copy", writable=True) as copy:
        (rows,) = time_range.selects(connection, relation, within)
        connection.exec_driver_sql(f"create table {copy}.exported as\n{rows}")
        if relation == "incidents":
            withdrawn = statement("reports/withdrawn_incidents")
            connection.exec_driver_sql(f"create table {copy}.withdrawn as\n{withdrawn}")


def _bring_up_to_date(
    rows: duckdb.DuckDBPyConnection, target: Connection, relation: str, place: str
) -> tuple[int, int]:
    """The number of rows, and of those that were new or changed."""
    keys, columns = KEYS[relation], {name: kind for name, kind, *_ in rows.execute("describe exported").fetchall()}
    table = Table(
        relation,
        MetaData(),
        *(Column(name, _TYPES[kind], primary_key=name in keys, autoincrement=False) for name, kind in columns.items()),
    )
    table.create(target, checkfirst=True)
    if missing := sorted(columns.keys() - {column["name"] for column in inspect(target).get_columns(relation)}):
        raise InputOutputError(
            f"{place}: its table {relation} lacks the column {missing[0]}, which this version has: add it, or rename "
            "the table, and export again"
        )
    if relation == "incidents":
        _delete(target, table, keys, rows.execute("from withdrawn").fetchall())
    found = rows.execute(f"from exported order by {', '.join(keys)}")
    count = changed = 0
    while portion := found.fetchmany(_ROWS):
        count += len(portion)
        changed += _replace(target, table, keys, portion)
    return count, changed


def _replace(target: Connection, table: Table, keys: tuple[str, ...], rows: list[Row]) -> int:
    """Delete and insert the rows that are missing or different in the table; returns how many."""
    places = [table.c.keys().index(name) for name in keys]
    wanted = {tuple(row[place] for place in places): row for row in rows}
    first = table.c[keys[0]]
    there = target.execute(select(table).where(first.in_({key[0] for key in wanted})))
    known = {tuple(row[place] for place in places): tuple(row) for row in there}
    changed = {key: row for key, row in wanted.items() if known.get(key) != row}
    _delete(target, table, keys, changed.keys() & known.keys())
    if changed:
        target.execute(insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in changed.values()])
    return len(changed)


def _delete(target: Connection, table: Table, keys: tuple[str, ...], rows: Iterable[Row]) -> None:
    # A parameter must not have the name of a column.
    matching = and_(*(table.c[name] == bindparam(f"the_{name}") for name in keys))
    gone = [{f"the_{name}": value for name, value in zip(keys, row, strict=True)} for row in rows]
    if gone:
        target.execute(delete(table).where(matching), gone)
