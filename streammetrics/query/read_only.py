"""Checks that a statement of a user only reads the store, before it is executed.

DuckDB's own lock-down (`schema.LOCK_DOWN`) is not enough. It allows access to the store's file, its log and the spill
folder, even by COPY. Table functions such as enable_profiling() change settings and write files although the
configuration is locked. And a process that reads its store as a file, as with read_blob(), loses its lock on it.
"""

import os
import re
from itertools import pairwise
from pathlib import Path

import duckdb
from sqlalchemy import Connection

from streammetrics.errors import UsageError
from streammetrics.store import statements

ONLY_READ = "queries only read: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN of these are allowed"

_FUNCTIONS = (
    *("generate_series", "icu_calendar_names", "json_each", "json_tree", "pg_timezone_names", "range", "repeat"),
    *("repeat_row", "summary", "test_all_types", "unnest"),
)
"""Table functions that read no file and change nothing.

Functions that take a relation or a query as text, such as query() and histogram(), are excluded: the text could name a
file.
"""

_FILE_URL = re.compile(r"^file:(//[^/]*)?")
"""A prefix that DuckDB ignores before a path."""

_ABOUT_THE_STORE = ("duckdb_", "pragma_")
"""Prefixes of functions that describe the store and DuckDB."""


def require(connection: Connection, store: Path, sql: str) -> None:
    """Refuse anything but exactly one statement that only reads.

    Raises:
        UsageError: the statement is refused; the message says why.
        duckdb.Error: it cannot be parsed.
    """
    found = connection.connection.driver_connection.extract_statements(sql)  # type: ignore[union-attr]
    if not found:
        raise UsageError("the query is empty; an example: select code, count(*) from alerts group by all")
    if len(found) > 1:
        hint = "; a PIVOT must name its values: PIVOT ... ON code IN ('1', '2')" if "pivot" in sql.lower() else ""
        raise UsageError(f"a query is one statement, not {len(found)}{hint}")
    kind = found[0].type
    if kind == duckdb.StatementType.EXPLAIN:
        # EXPLAIN ANALYZE executes what it explains.
        sql = _explained(connection, sql)
        kind = duckdb.extract_statements(sql)[0].type
    is_select, functions, relations = _parsed(connection, sql)
    if not is_select:
        # DuckDB's driver reports some pragmas as queries; its parser does not.
        raise UsageError(f"{'PRAGMA' if kind == duckdb.StatementType.SELECT else kind.name}: {ONLY_READ}")
    for name in functions:
        if name.lower() not in _FUNCTIONS and not name.lower().startswith(_ABOUT_THE_STORE):
            allowed = ", ".join((*_FUNCTIONS, *(f"{prefix}*" for prefix in _ABOUT_THE_STORE)))
            raise UsageError(f"{name}(): a query cannot call this table function; it can call {allowed}")
    for name in relations:
        # pathlib raises where ~ names no user.
        path = os.path.expanduser(_FILE_URL.sub("", name))  # noqa: PTH111
        if os.path.realpath(path) == os.path.realpath(store):
            raise UsageError(f"{name}: is the store's file; name one of its tables or views")


def _parsed(connection: Connection, sql: str) -> tuple[bool, list[str], list[str]]:
    is_select, functions, relations = statements.run(connection, "reports/statement", {"statement": sql}).one()
    return is_select, functions, relations


def _explained(connection: Connection, sql: str) -> str:
    """The statement after EXPLAIN, EXPLAIN ANALYZE, or EXPLAIN with options in parentheses."""
    encoded = sql.encode()
    starts = [place for place, _ in duckdb.tokenize(sql) if encoded[place : place + 1] != b";"][1:]
    rest = [encoded[place:].decode() for place in starts]
    if re.match(r"analy[sz]e\b", rest[0], re.IGNORECASE):
        return rest[1]
    if rest[0].startswith("(") and not _parsed(connection, rest[0])[0]:
        return next(after for text, after in pairwise(rest) if text.startswith(")"))
    return rest[0]
