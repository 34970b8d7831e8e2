"""Ad hoc SQL: one statement that only reads, on a connection that can access nothing but the store."""

import re
from datetime import datetime

import duckdb
from sqlalchemy import Connection

from streammetrics.errors import InputOutputError, StreammetricsError, UsageError
from streammetrics.query import read_only, time_range
from streammetrics.query.formats import Result
from streammetrics.runtime import interrupts
from streammetrics.runtime.terminal import printable_lines
from streammetrics.store import comments, spill
from streammetrics.store.connection import Store, explained

MOST_ROWS = 1_000_000
"""Most rows of a result, which is held in memory so that the store is free before it is printed."""


def run(store: Store, sql: str, since: datetime | None = None, until: datetime | None = None) -> Result:
    """Execute one statement.

    Args:
        since, until: UTC; every relation in the statement is limited to this span, by `time_range`. Views are computed
            for the span alone, so the cost depends on the span and not on the length of the history.

    Raises:
        UsageError: it is not one statement that only reads, DuckDB finds an error, or it returns over `MOST_ROWS` rows.
        StoreBusyError: a writer held the store for too long.
        InputOutputError: the store cannot be read; the statement needs more memory or disk than there is.
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
                # The process would wait for statements in other threads.
                connection.connection.driver_connection.interrupt()  # type: ignore[union-attr]
                raise interrupts.cause(error) or KeyboardInterrupt from None
            raise


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
    """The column as a type that Python represents exactly, else as text; text needs no pytz."""
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
        return InputOutputError(f"{message}; narrow the query with --since and --until, or raise [store] memory_limit")
    if isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.InternalException):
        return explained(error) or InputOutputError(message)
    if isinstance(error, duckdb.CatalogException) and "Table with name" in message:
        connection.rollback()
        return UsageError(f"{message.splitlines()[0]} There are: {', '.join(comments.listed(connection))}")
    return UsageError(read_only.ONLY_READ if "read-only mode" in message else message)
