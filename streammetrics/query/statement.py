"""Questions in SQL: one statement that reads, on a connection from which nothing but the store can be reached."""

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
"""A result is held in memory, so that the store is free again before anybody looks at it."""


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
