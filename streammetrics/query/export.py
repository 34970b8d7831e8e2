"""Exports tables and views to files for other programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path

import duckdb
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.query import time_range
from streammetrics.runtime import atomic_files
from streammetrics.store.connection import Store
from streammetrics.store.statements import quoted_name

_OPTIONS = {".csv": "format csv, header", ".parquet": "format parquet", ".jsonl": "format json"}
# OWASP's list, with the full-width signs that some programs read as the normal ones.
_FORMULA_SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_NUMBER = "[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?"


def export(
    store: Store, relation: str, target: Path, since: datetime | None = None, until: datetime | None = None
) -> int:
    """Write a table or view to `target`, atomically; returns the number of rows.

    The suffix decides the format. `since` and `until` (UTC) limit a relation as `time_range` describes; relations that
    are computed from counters are always computed in portions, in order of time. In CSV, text and column names that
    begin with = + - @ (or full-width), a tab or a line end are prefixed with ' so that no spreadsheet runs them;
    numbers, codes such as -17 included, stay numbers. In JSON lines NaN and the infinities are null.

    Raises:
        UsageError: there is no such relation, the suffix is not one of the formats, or the span is empty.
        InputOutputError: the file cannot be written, or the store cannot be read.
        StoreBusyError: another process held the store for too long.
    """
    suffix = target.suffix.lower()
    if suffix not in _OPTIONS:
        raise UsageError(f"{target}: its suffix does not name a format; {', '.join(_OPTIONS)} do")
    within = time_range.span(since, until)
    with replacing(target) as temporary, store.read() as connection:
        there = time_range.names(connection)
        if relation not in there:
            raise UsageError(f"{relation}: there is no such table or view; there are: {', '.join(there)}")
        return _write(connection, time_range.selects(connection, relation, within), temporary, suffix)


def _write(connection: Connection, selects: Iterator[str], path: Path, suffix: str) -> int:
    """Write several portions to files first, so that they are not in memory at once."""
    first, second = next(selects), next(selects, None)
    columns = _columns(connection, first, suffix)
    if second is None:
        return _copy(connection, f"select {columns} from (\n{first}\n)", path, _OPTIONS[suffix])  # noqa: S608
    parts = []
    for place, select in enumerate(chain((first, second), selects)):
        parts.append(str(path.with_name(f"part-{place}")))
        _copy(connection, select, Path(parts[-1]), _OPTIONS[".parquet"])
    whole = f"select {columns} from read_parquet($parts)"  # noqa: S608 names of the catalogue, quoted
    return _copy(connection, whole, path, _OPTIONS[suffix], parts=parts)


def _copy(connection: Connection, select: str, path: Path, options: str, **parameters: object) -> int:
    copied = connection.exec_driver_sql(f"copy ({select}) to $path ({options})", {"path": str(path), **parameters})
    return int(copied.scalar_one())


def _columns(connection: Connection, select: str, suffix: str) -> str:
    """The columns converted for the format, under their own names."""
    return ", ".join(
        f"{_exported(quoted_name(connection, name), kind, suffix)} as "
        f"{quoted_name(connection, _inert(name) if suffix == '.csv' else name)}"
        for name, kind, *_ in connection.exec_driver_sql(f"describe {select}")
    )


def _exported(column: str, kind: str, suffix: str) -> str:
    if suffix == ".csv" and kind == "VARCHAR":
        begins_one = f"{column} <> '' and contains('{_FORMULA_SIGNS}', left({column}, 1))"
        is_formula = f"{begins_one} and not regexp_full_match({column}, '{_NUMBER}')"
        return f"case when {is_formula} then '''' || {column} else {column} end"
    if suffix == ".jsonl" and kind in ("DOUBLE", "FLOAT"):
        return f"case when isfinite({column}) then {column} end"
    return column


def _inert(name: str) -> str:
    return f"'{name}" if name.startswith(tuple(_FORMULA_SIGNS)) else name


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """`atomic_files.replacing`, which raises errors of the disk as `InputOutputError`."""
    try:
        with atomic_files.replacing(target) as unfinished:
            yield unfinished
    except (OSError, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        # A commit that finds the disk full fails as a transaction.
        if isinstance(cause, OSError | duckdb.IOException | duckdb.FatalException) or atomic_files.is_full(cause):
            raise InputOutputError(f"{target}: cannot be written: {atomic_files.reason(cause)}") from None
        raise
