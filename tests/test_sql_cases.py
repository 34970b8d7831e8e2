"""Each folder tests/sql/<relation>/<case>/ is a test: what the relation reads as tiny CSVs, and the rows it must give.

A file of the folder is named after a relation of the header's `Reads:` line; a relation without a file is empty. Times
are epoch seconds, doubles have 13 digits, and an empty cell is NULL. Columns that do not matter are left out:
they are NULL, or zero or empty where a base table wants a value. `expect.csv` has the columns that matter.
"""

import csv
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from streammetrics.store import views
from streammetrics.store.connection import Store

FOLDER = Path(__file__).parent / "sql"
CASES = sorted(path for path in FOLDER.glob("*/*") if path.is_dir())
DEFAULTS = {"BIGINT": "0", "DOUBLE": "0", "BOOLEAN": "false", "TIMESTAMP": "0", "VARCHAR": "", "BLOB": ""}
USUAL = {"lag_seconds": "0", "min_ratio": "1", "is_traffic": "false", "is_higher": "false"}
"""Columns of views that are left out are NULL, but for these."""


@dataclass(frozen=True)
class Column:
    """`default` is the text of a value that is left out; None is NULL."""

    type: str
    default: str | None


Columns = dict[str, dict[str, Column]]


@pytest.fixture(scope="session")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Columns:
    """The columns of every base table and view, as a new store has them."""
    with Store(tmp_path_factory.mktemp("columns") / "s.duckdb").write() as connection, connection.begin():
        views.publish(connection)
        rows = connection.exec_driver_sql(
            "select table_name, column_name, data_type, is_nullable = 'YES' from information_schema.columns"
        ).fetchall()
    found: Columns = {}
    for table, column, kind, is_nullable in rows:
        usual = USUAL.get(column) if table in views.relations() else None
        found.setdefault(table, {})[column] = Column(kind, usual if is_nullable else DEFAULTS[kind])
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case: Path, columns: Columns) -> None:
    relation = views.relations()[case.parent.name]
    unread = {path.stem for path in case.iterdir()} - {*relation.reads, "expect"}
    assert not unread, f"{relation.name} does not read {sorted(unread)}"
    with duckdb.connect() as connection:
        for name in relation.reads:
            fill(connection, name, columns[name], case / f"{name}.csv")
        names, expected = read(case / "expect.csv")
        found = connection.execute(f"select {', '.join(names)} from (\n{relation.text}\n)").fetchall()
    is_text = [columns[relation.name][name].type in ("VARCHAR", "BOOLEAN") for name in names]
    assert sorted(tuple(map(shown, row)) for row in found) == sorted(
        tuple(cell if plain else number(cell) for cell, plain in zip(row, is_text, strict=True)) for row in expected
    )


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def fill(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, Column], path: Path) -> None:
    """Make the table `name` and put the rows of a case into it."""
    typed = ", ".join(f"{column} {kind.type}" for column, kind in columns.items())
    connection.execute(f"create table {name} ({typed})")
    header, rows = read(path) if path.exists() else ([], [])
    assert set(header) <= set(columns), f"{path}: {name} has no {sorted(set(header) - set(columns))}"
    values = ", ".join(
        "make_timestamp(cast(cast(? as decimal(20, 6)) * 1000000 as bigint))"
        if kind.type == "TIMESTAMP"
        else f"cast(? as {kind.type})"
        for kind in columns.values()
    )
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        given = [cells.get(column) or kind.default for column, kind in columns.items()]
        connection.execute(f"insert into {name} select {values}", given)


def number(text: str) -> str:
    return format(Decimal(text).normalize(), "f") if text else ""


def shown(value: object) -> str:
    """A value as the cell of a case."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        micros = (value - datetime(1970, 1, 1)) // timedelta(microseconds=1)
        return number(str(Decimal(micros) / 1_000_000))
    if isinstance(value, float):
        return number(f"{value:.13g}")
    return number(str(value)) if isinstance(value, int | Decimal) else str(value)
