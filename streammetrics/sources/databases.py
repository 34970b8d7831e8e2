"""Reads rows of a database as records: streamed in the order of the cursor, never all in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from itertools import chain, count, islice, repeat
from typing import Any

from sqlalchemy import Connection, FromClause, Select, bindparam, column, func, select, table, text
from sqlalchemy.engine import URL
from sqlalchemy.sql import quoted_name

from streammetrics.config import Source
from streammetrics.config.source import is_stratum
from streammetrics.errors import ConfigError
from streammetrics.sources import columns, cursor_state
from streammetrics.sources.connections import place, without_secrets
from streammetrics.sources.cursor_state import CursorState, Key, Record, Rows
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.plain import LONGEST_RECORD
from streammetrics.sources.reader import KEPT_OF_REJECTS, Reader
from streammetrics.sources.values import WRITERS, client_of, problem_of, texts_of
from streammetrics.store.statements import statement

_FETCH_ROWS = 1_000


_PORTION_RECORDS = 200_000

_FIELDS = ("lines", "row_reasons", "times", "builds", "codes", "contents", "clients")

_NAMES = ("time", "build", "code", "stratum")


class Database:
    """The rows of a source. `place` represents it in the store: its path is the URL without secrets."""

    def __init__(self, source: Source, url: URL, connection: Connection) -> None:
        self._source, self._url, self._connection = source, url, connection
        self.place = SourceFile(source, place(source, url), "csv", None, 0, 0)
        self.problem = ""
        """Why reading stopped before the last row; empty if it did not."""
        with without_secrets(source, url):
            self._whole, self._columns, self._cursor = self._resolve()

    def waiting(self, state: CursorState) -> int:
        """The number of rows from the floor on."""
        statement = select(func.count()).select_from(self._whole)
        with without_secrets(self._source, self._url):
            return int(self._connection.execute(self._above(statement, state)).scalar_one())

    def highest(self) -> object:
        """The highest value of the cursor; None if there is no row."""
        with without_secrets(self._source, self._url):
            return self._connection.execute(select(func.max(self._cursor)).select_from(self._whole)).scalar_one()

    def rows(self, state: CursorState) -> Iterator[Rows]:
        """The rows from the floor on that were not read yet, in the order of the cursor, in portions."""
        order = cursor_state.order_of(state.floor)
        for rows in self._new(self._above(self._select(), state).order_by(self._cursor), state):
            order = order or cursor_state.order_of(rows.keys[0][0]) or "number"
            place = rows.first_out_of_order(order)
            if place is not None:
                value = rows.keys[place][0]
                odd = "is no number or time like those before: a query can leave it out"
                self.problem = (
                    f"{self.place.path}: {str(value)[:40]!r} in {self._source.cursor!r}, the cursor: "
                    f"{cursor_state.TEXT_PROBLEM if isinstance(value, str) else odd}; rows from there on are not read"
                )
                if place:
                    yield Rows(rows.keys[:place], rows.records[:place])
                return
            yield rows

    def rows_without_cursor(self, state: CursorState) -> Iterator[Rows]:
        """Rows whose cursor is NULL. They are rejects, because later runs could not recognize them."""
        reason = f"has no {self._source.cursor}, the cursor"
        for rows in self._new(self._select().where(self._cursor.is_(None)), state):
            contents = (",".join(map(str, key)) for key in rows.keys)
            records = [_rejected(old.line, reason, text) for old, text in zip(rows.records, contents, strict=True)]
            yield replace(rows, records=records)

    def _select(self) -> Select[Any]:
        return select(*self._columns, self._cursor).select_from(self._whole)

    def _above(self, statement: Select[Any], state: CursorState) -> Select[Any]:
        if state.floor is None:
            return statement.where(self._cursor.is_not(None))
        return statement.where(self._cursor >= bindparam("floor", state.floor))

    def _resolve(self) -> tuple[FromClause, list[Any], Any]:
        """The table or query, its columns and the cursor, without types: values stay as the driver returns them."""
        if self._source.table is not None:
            whole: FromClause = table(self._named(self._source.table))
        else:
            # A query may end with a comment, and a colon in it is no parameter.
            query = (self._source.query or "").rstrip().rstrip(";").replace(":", r"\:")
            whole = text(f"{query}\n").columns().subquery("source")
        nothing = select(text("*")).select_from(whole).where(text("1 = 0"))
        names = list(self._connection.execute(nothing).keys())
        found = columns.resolve(self.place, names)
        cursor = next((name for name in names if name == self._source.cursor), None)
        if cursor is None:
            raise ConfigError(
                f"{self.place.path}: there is no column {self._source.cursor!r}, the cursor of [[source]] "
                f"{self._source.name!r}; the columns found are: {', '.join(names)}"
            )
        self._has_client = found.client is not None
        wanted = [names[place - 1] for place in found.places if place is not None]
        return whole, [column(self._named(name)) for name in wanted], column(self._named(cursor))

    @property
    def settings(self) -> str:
        """A hash of the settings: the content of rows that were read under other settings cannot be compared."""
        names = [str(found.name) for found in self._columns]
        # 2: the version of turning rows into text; rows of another version are recognized by their cursor.
        what = repr((self._source.table, self._source.query, names, 2))
        return blake2b(what.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()

    def _named(self, name: str) -> quoted_name:
        """The exact name; for databases that fold names to capitals, SQLAlchemy's own rules."""
        return quoted_name(name, None if self._connection.dialect.requires_name_normalize else True)

    def _new(self, statement: Select[Any], state: CursorState) -> Iterator[Rows]:
        """Rows without those that were read before: of equal rows, as many are skipped as were read."""
        remembered, number = dict(state.remembered), 1
        # This streams too, by a server-side cursor if the driver has them.
        options = {"yield_per": min(_FETCH_ROWS, self._source.portion_rows)}
        with without_secrets(self._source, self._url):
            for fetched in self._connection.execute(statement, execution_options=options).partitions():
                rows = _rows_of_clients(fetched, number) if self._has_client else _rows(fetched, number)
                number += len(fetched)
                if remembered:
                    rows = rows.without(remembered)
                if rows.keys:
                    yield rows


def readers(records: Iterator[Record]) -> Iterator[Reader]:
    """A reader of records for each portion."""
    while portion := list(islice(records, _PORTION_RECORDS)):
        lines, *texts = zip(*portion, strict=True)
        columns = zip(_FIELDS, (map(str, lines), *texts), strict=True)
        parameters: dict[str, object] = {name: "\0".join(column) for name, column in columns}
        if not any(texts[-1]):
            parameters["clients"] = None
        yield Reader({}, {}, {"records": statement("jobs/row_records")}, parameters)


def _rows(fetched: Sequence[Any], number: int) -> Rows:
    """Rows with their cursors; `first` is the number of the first row.

    If no value is wrong, whole columns are converted at once, which is fast.
    """
    *values, order = zip(*fetched, strict=True)
    texts = [texts_of(column, writers) for column, writers in zip(values, WRITERS, strict=False)]
    joined = "".join(chain.from_iterable(texts))
    is_plain = all(texts) and all(map(_is_stratum, set(chain(*texts[3:]))))
    if is_plain and len(joined) <= LONGEST_RECORD and not problem_of(joined):
        times, builds, *rest = texts
        texts = [times, list(map(_with_stratum, builds, *rest[1:])), rest[0]]
        keys = list(zip(order, *texts, strict=True))
        records = map(Record, count(number), repeat(""), *texts, map(_cursor_text, order))
        return Rows(keys, list(records))
    return Rows(*zip(*map(_row, count(number), fetched), strict=True))


def _rows_of_clients(fetched: Sequence[Any], number: int) -> Rows:
    """Rows with their cursors, and clients before these."""
    rows = _rows([(*values, cursor) for *values, _, cursor in fetched], number)
    clients = [client_of(client) for *_, client, _ in fetched]
    keys = [(*key, client) for key, client in zip(rows.keys, clients, strict=True)]
    records = [record._replace(client=client) for record, client in zip(rows.records, clients, strict=True)]
    return Rows(keys, records)


def _with_stratum(build: str, stratum: str = "") -> str:
    return f"{stratum}/{build}" if build and stratum else build


def _is_stratum(value: str) -> bool:
    return not value or is_stratum(value)


def _row(line: int, values: Any) -> tuple[Key, Record]:
    """One row, with the reason if it cannot be read."""
    texts: list[Any]
    *texts, cursor = (bytes(value) if isinstance(value, memoryview) else value for value in values)
    reason = ""
    for number, (name, writers) in enumerate(zip(_NAMES[: len(texts)], WRITERS, strict=False)):
        value = texts[number]
        if type(value) in writers:
            texts[number] = writers[type(value)](value)
        else:
            reason = reason or (f"has no {name}" if value is None else f"{name} is neither text nor a number")
    ts, build, code, *strata = texts
    if not reason and not all(map(_is_stratum, strata)):
        reason = f"stratum is no word of letters: '{strata[0][:60]}'"
    build = build if reason else _with_stratum(build, *strata)
    content = ",".join((_cursor_text(cursor), str(ts), str(build), str(code)))
    if len(content) > LONGEST_RECORD:
        reason = reason or f"is longer than {LONGEST_RECORD:,} characters"
    reason = reason or problem_of(content)
    record = _rejected(line, reason, content) if reason else Record(line, "", ts, build, code, _cursor_text(cursor))
    return (cursor, ts, build, code), record


def _cursor_text(cursor: Any) -> str:
    return cursor_state.as_text(cursor) if type(cursor) is datetime else str(cursor)


def _rejected(line: int, reason: str, content: str) -> Record:
    shown = content[:KEPT_OF_REJECTS].replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
    return Record(line, reason, "", "", "", shown)
