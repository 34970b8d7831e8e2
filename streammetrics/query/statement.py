"""Questions in SQL: one statement that reads, on a connection from which nothing but the store can be reached."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

import duckdb
from sqlalchemy import Connection

from streammetrics.errors import InputOutputError, StreammetricsError, UsageError
from streammetrics.query import formats, read_only, time_range
from streammetrics.runtime import interrupts
from streammetrics.runtime.terminal import printable_lines
from streammetrics.store import comments, spill
from streammetrics.store.connection import Store, explained

MOST_ROWS = 1_000_000
"""A result is held in memory, so that the store is free again before anybody looks at it."""

_COMMANDS = ".tables lists tables and views, .quit ends; anything else is SQL up to a semicolon"


@dataclass(frozen=True)
class Result:
    """Rows in the order of the query. Times are text as DuckDB writes it (UTC); `types` are DuckDB's names."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def run(store: Store, sql: str, since: datetime | None = None, until: datetime | None = None) -> Result:
    """Answer one statement.

    Args:
        since, until: UTC; every relation that the statement names is cut to this span, by `time_range`. The views of
            sql/ are computed over it alone, so that minutes of a long history cost what minutes cost.

    Raises:
        UsageError: it is not one statement that reads, DuckDB finds a mistake in it, or it has over `MOST_ROWS` rows.
        StreammetricsError: it needs more memory than there is.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    with store.read(locked_down=True) as connection:
        try:
            read_only.require(connection, store.path, sql)
            if since is not None or until is not None:
                words = sorted(set(re.findall(r"\w+", sql.lower())))
                time_range.narrow(connection, words, time_range.span(since, until))
            return _answer(connection, sql)
        except duckdb.Error as error:
            raise _explained(connection, error) from None
        except RuntimeError as error:
            if "interrupted" in str(error):
                # What runs in other threads would be waited for.
                connection.connection.driver_connection.interrupt()  # type: ignore[union-attr]
                raise interrupts.cause(error) or KeyboardInterrupt from None
            raise


def write(result: Result, style: str, stream: TextIO) -> None:
    """Write a result as table, csv or jsonl; CSV carries cells as they are, unlike that of an export.

    Raises:
        UsageError: there is no such style.
    """
    if style != "table" and isinstance(stream, io.TextIOWrapper):
        # Data are exact whatever the locale knows.
        stream.reconfigure(encoding="utf-8")
    formats.write(result.columns, result.types, result.rows, style, stream)


def prompt(store: Store, stdin: TextIO, stdout: TextIO, style: str = "table") -> int:
    """Answer statement by statement until the input ends; the store is open only while one is answered.

    Mistakes are reported on stderr, and the next statement is read. Ctrl-C drops what was typed. On a terminal lines
    can be edited; what was typed is kept nowhere.

    Returns:
        The exit code of the first mistake where nobody was there to read of it, else 0.

    Raises:
        UsageError: there is no such style.
    """
    formats.writer(style)
    code = 0
    for statement in _statements(stdin):
        try:
            write(_respond(store, statement), style, stdout)
            stdout.flush()
        except StreammetricsError as error:
            print(f"streammetrics: {error}", file=sys.stderr, flush=True)
            code = code or (0 if stdin is sys.stdin and stdin.isatty() else error.exit_code)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr, flush=True)
    return code


def _respond(store: Store, statement: str) -> Result:
    if statement == ".tables":
        with store.read() as connection:
            rows = [(name, comments.relations()[name]) for name in comments.listed(connection)]
        return Result(("name", "a row is"), ("VARCHAR", "VARCHAR"), rows)
    if statement.startswith("."):
        raise UsageError(f"{statement}: is not a command; {_COMMANDS}")
    return run(store, statement)


def _statements(stdin: TextIO) -> Iterator[str]:
    """What is typed, statement by statement, without its semicolon; commands begin with a dot."""
    typed = ""
    while True:
        try:
            line = _read_line(stdin, "   ...> " if typed else "query> ")
        except KeyboardInterrupt:
            print(file=sys.stderr)
            typed = ""
            continue
        if not typed and line.startswith("."):
            if line.strip() == ".quit":
                return
            yield line.strip()
            continue
        typed += line
        while (end := _semicolon(typed)) is not None:
            yield typed[:end]
            typed = typed[end + 1 :]
        typed = typed.lstrip()
        if not line:
            if typed.strip():
                yield typed
            return


def _read_line(stdin: TextIO, invitation: str) -> str:
    """A line with its end; empty at the end of the input."""
    if not (stdin is sys.stdin and stdin.isatty()):
        return stdin.readline()
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - from then on input() lets the line be edited
    try:
        return input(invitation) + "\n"
    except EOFError:
        return ""


def _semicolon(sql: str) -> int | None:
    """Where the first semicolon stands that is neither in quotes nor in a comment."""
    encoded = sql.encode()
    for place, _ in duckdb.tokenize(sql):
        if encoded[place : place + 1] == b";":
            return len(encoded[:place].decode())
    return None


def _answer(connection: Connection, sql: str) -> Result:
    relation = connection.connection.driver_connection.sql(sql)  # type: ignore[union-attr]
    columns, types = tuple(relation.columns), tuple(str(kind) for kind in relation.types)
    fetched = [_fetched(place, kind) for place, kind in enumerate(types, start=1)]
    if any("cast" in column for column in fetched):
        relation = relation.project(", ".join(fetched))
    rows = relation.fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise UsageError(
            f"the result has more than {MOST_ROWS:,} rows; add a LIMIT or --since and --until, "
            "or write a whole relation with `streammetrics export`"
        )
    return Result(columns, types, rows)


def _fetched(place: int, kind: str) -> str:
    """The column as Python can have it: text is exact where its own types are not, and needs no pytz."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"cast(cast(#{place} as timestamp) as varchar)"
    if re.search(r"\b(TIMESTAMP\w*|DATE|TIME|INTERVAL|BLOB|BIT)\b", kind):
        return f"cast(#{place} as varchar)"
    return f"#{place}"


def _explained(connection: Connection, error: duckdb.Error) -> StreammetricsError:
    message = printable_lines(str(error)[:300])
    if exceeded := spill.exceeded(error):
        return InputOutputError(f"{exceeded}, or narrow the query with --since and --until")
    if isinstance(error, duckdb.OutOfMemoryException):
        return StreammetricsError(
            f"{message}; narrow the query with --since and --until, or raise [store] memory_limit"
        )
    if isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.InternalException):
        return explained(error) or InputOutputError(message)
    if isinstance(error, duckdb.CatalogException) and "Table with name" in message:
        connection.rollback()
        return UsageError(f"{message.splitlines()[0]} There are: {', '.join(comments.listed(connection))}")
    return UsageError(read_only.ONLY_READ if "read-only mode" in message else message)
