"""How far a database was read, so that each of its rows counts once: the tables `cursor_marks` and `cursor_rows`.

Rows are read in order of a cursor, but may become visible in another order: a row gets its id when it is inserted, and
is visible when its transaction ends. So a run begins below the last value, at the `floor`, and skips the rows that were
read already, which it recognizes by a fingerprint of their content. Of equal rows only the number is known.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import chain, compress
from operator import attrgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from streammetrics.config import Source
from streammetrics.errors import ConfigError
from streammetrics.store.statements import run

OVERLAP_NUMBERS = 10_000
OVERLAP_SECONDS = 300
"""The overlap if the source does not set it."""

MOST_REMEMBERED = 1_000_000
"""Most rows from the floor up to the last value: they are held in memory."""

_CURSOR_BYTES = _TEXT_BYTES = 8

Cursor = int | float | Decimal | datetime
"""A value of the cursor column, by which rows are read in order."""

Key = tuple[Any, ...]

TEXT_PROBLEM = "text does not grow with each row: take a cursor of numbers or times, or let query make one of it"

TEXT = "text"
"""The kind of text cursors, which earlier versions accepted."""

_KINDS = {int: "integer", float: "float", Decimal: "decimal"}

_TEXTS = attrgetter("ts", "build", "code", "content")

_ADD_MARK = "insert into cursor_marks values ($batch_id, $source, $cursor, $kind, $mark, $floor, $settings)"

_SIZE = "select count(*) from cursor_rows where source = $source"

_FORGET = "delete from cursor_rows where batch_id in (select unnest($batch_ids::bigint[]))"


class Record(NamedTuple):
    """One row, as texts. `line` is its number, from 1; `reason` is empty if it can be read."""

    line: int
    reason: str
    ts: str
    build: str
    code: str
    content: str
    client: str = ""


@dataclass(frozen=True)
class Rows:
    """Some rows of a database. `keys` identify them: cursor, time, build, code and, if read, client."""

    keys: Sequence[Key]
    records: Sequence[Record]

    @property
    def last(self) -> Any:
        """The cursor of the last row."""
        return self.keys[-1][0]

    def first_out_of_order(self, order: str | None) -> int | None:
        """The place of the first cursor that cannot be ordered with the others; None if there is none."""
        if order == "number" and {type(cursor) for cursor, *_ in self.keys} == {int}:
            return None
        return next((place for place, (cursor, *_) in enumerate(self.keys) if order_of(cursor) != order), None)

    def without(self, remembered: dict[bytes, int]) -> "Rows":
        """The rows that were not read before; each row that was uses up one copy of `remembered`."""
        is_new = []
        for key in self.keys:
            whole = _fingerprint(key)
            known = next((found for found in (whole, whole[:_CURSOR_BYTES]) if remembered.get(found)), None)
            if known is not None:
                remembered[known] -= 1
            is_new.append(known is None)
        return Rows(list(compress(self.keys, is_new)), list(compress(self.records, is_new)))


@dataclass(frozen=True)
class CursorState:
    """The state of a source: where to begin, and the rows from there on that were read, with their number of copies.

    `value` is the last cursor value that was read, for people.
    """

    floor: Cursor | None
    remembered: dict[bytes, int]
    value: str = ""


def read(connection: Connection, source: Source, settings: str) -> CursorState:
    """Where to continue with a source; in the caller's transaction.

    Rows that were read under other `settings` may look different now: they are recognized by their cursor alone.

    Raises:
        ConfigError: it was read by another cursor before, or by a text cursor.
    """
    named = {"source": source.name}
    found = run(connection, "jobs/cursor_history", {**named, "has_all": False}).first()
    if found is not None and (found.cursor != source.cursor or found.kind == TEXT):
        problem = f"{TEXT_PROBLEM}; " if found.kind == TEXT else ""
        raise ConfigError(
            f"[[source]] {source.name!r}: was read by cursor {found.cursor!r} so far, up to {found.mark}; {problem}"
            "to read it by another from its beginning, give it another name"
        )
    floor = None if found is None else parsed(found.kind, found.floor)
    remembered: Counter[bytes] = Counter()
    for fingerprint, taken_under, copies in run(connection, "jobs/remembered_rows", named):
        remembered[bytes(fingerprint if taken_under == settings else fingerprint[:_CURSOR_BYTES])] += copies
    return CursorState(floor, remembered, found.mark if found is not None else "")


def kind_of(value: Any) -> str | None:
    """The kind of a cursor value; None if it cannot be a cursor."""
    if type(value) is datetime:
        return "timestamp" if value.tzinfo is None else "timestamptz"
    if type(value) in (float, Decimal) and not math.isfinite(value):
        return None
    return _KINDS.get(type(value))


def order_of(value: Any) -> str | None:
    """Values of the same order can be compared; None if a value cannot be a cursor."""
    kind = kind_of(value)
    return "number" if kind in _KINDS.values() else kind


def as_text(value: Cursor) -> str:
    """A cursor value as the store's text; times with an offset in UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat(sep=" ")
    return repr(value) if isinstance(value, float) else str(value)


def parsed(kind: str, text: str) -> Cursor:
    """The value of a text of `as_text`."""
    number = next((number for number, name in _KINDS.items() if name == kind), None)
    return datetime.fromisoformat(text) if number is None else number(text)


class Taken:
    """Iterates over the rows of one batch, and collects the state to store."""

    def __init__(self, source: Source, portions: Iterable[Rows], floor: Cursor | None, now: datetime) -> None:
        self._source, self._portions, self.now = source, portions, now
        self._recent: deque[Rows] = deque()
        self._hash = blake2b(digest_size=32)
        self.floor = floor
        self.last: Cursor | None = None
        self.count = 0

    def records(self) -> Iterator[Record]:
        """The portions; iterate once."""
        for rows in self._portions:
            self.last = rows.last
            self.count += len(rows.keys)
            texts = chain.from_iterable(map(_TEXTS, rows.records))
            self._hash.update("\0".join(texts).encode("utf-8", "backslashreplace"))
            self._recent.append(rows)
            self._raise_floor()
            yield from rows.records

    @property
    def fingerprint(self) -> str:
        """The number of all rows."""
        return self._hash.hexdigest()

    def remember(self, connection: Connection, batch_id: int, settings: str) -> None:
        """Store how far the rows were read, and the rows that the next run will see again; in the caller's transaction.

        Raises:
            ConfigError: there are too many of these.
        """
        named = {"source": self._source.name}
        keys = chain.from_iterable(rows.keys for rows in self._recent)
        found = " ".join(_fingerprint(key).hex() for key in keys if not is_passed(key[0], self.floor))
        if found:
            run(connection, "jobs/remember_rows", {"batch_id": batch_id, **named, "fingerprints": found})
        if self.last is not None and self.floor is not None:
            place = {
                "kind": kind_of(self.last),
                "mark": as_text(self.last),
                "floor": as_text(self.floor),
                "settings": settings,
            }
            connection.exec_driver_sql(
                _ADD_MARK, {"batch_id": batch_id, **named, "cursor": self._source.cursor, **place}
            )
            passed = [
                row.batch_id
                for row in run(connection, "jobs/cursor_history", {**named, "has_all": False})
                if row.is_known and is_passed(parsed(row.kind, row.mark), self.floor)
            ]
            if passed:
                connection.exec_driver_sql(_FORGET, {"batch_ids": passed})
        if connection.exec_driver_sql(_SIZE, named).scalar_one() > MOST_REMEMBERED:
            raise ConfigError(
                f"[[source]] {self._source.name!r}: more than {MOST_REMEMBERED:,} rows are within the overlap; make it "
                "smaller, or take a cursor of which fewer rows have the same value"
            )

    def _raise_floor(self) -> None:
        """Move the floor up after the last row; rows below it are dropped."""
        if self.last is not None:
            floor = self._floor_at(self.last)
            self.floor = floor if self.floor is None else max(self.floor, floor)
        while self._recent and is_passed(self._recent[0].last, self.floor):
            self._recent.popleft()

    def _floor_at(self, last: Cursor) -> Cursor:
        overlap = self._source.overlap
        if not isinstance(last, datetime):
            return last - type(last)(OVERLAP_NUMBERS if overlap is None else overlap)  # type: ignore[operator]
        # A client's clock that is ahead must not move the floor: later rows with the right time would be below it.
        now = self.now.replace(tzinfo=UTC)
        if last.tzinfo is None:
            now = now.astimezone(ZoneInfo(self._source.timezone)).replace(tzinfo=None)
        return min(last, now) - timedelta(seconds=OVERLAP_SECONDS if overlap is None else overlap)


def is_passed(value: Cursor | None, floor: Cursor | None) -> bool:
    """Whether a row is below the floor, so that the next run does not read it."""
    return value is not None and floor is not None and value < floor  # type: ignore[operator]


def _fingerprint(key: Key) -> bytes:
    cursor, *texts = key
    shown = as_text(cursor) if isinstance(cursor, datetime) else cursor
    pieces = ((repr(shown), _CURSOR_BYTES), (repr(texts), _TEXT_BYTES))
    return b"".join(blake2b(text.encode(), digest_size=size).digest() for text, size in pieces)
