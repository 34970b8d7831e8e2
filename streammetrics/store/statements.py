"""The statements of jobs and reports: files of sql/, each with the parameters that its text names."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult

from streammetrics.errors import InputOutputError


@cache
def statement(name: str) -> str:
    """The statement of a job or report, such as `jobs/settle_builds`, without its comments.

    Raises:
        InputOutputError: the installation lacks its SQL.
    """
    lines = (folder() / f"{name}.sql").read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("--"))


def run(
    connection: Connection, name: str, parameters: Mapping[str, Any] | None = None
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement of a job or report by its name."""
    return connection.exec_driver_sql(statement(name), dict(parameters or {}))


def as_json(rows: object) -> str:
    """Many values as one parameter, for `from_json_strict`: DuckDB takes some 4 µs to bind an element of a list."""
    return json.dumps(rows, default=str)


def quoted_name(connection: Connection, name: str) -> str:
    """A name of the catalogue as SQL has it."""
    return connection.dialect.identifier_preparer.quote_identifier(name)


def folder() -> Path:
    """Where the SQL files are.

    Raises:
        InputOutputError: the installation lacks them.
    """
    package = Path(__file__).resolve().parents[1]
    folder = next((f for f in (package / "sql", package.parent / "sql") if f.is_dir()), None)
    if folder is None:
        raise InputOutputError(f"{package}: the SQL files are missing; install streammetrics again")
    return folder
