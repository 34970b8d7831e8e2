"""How far a database was read, so that each of its rows counts once: the tables `cursor_marks` and `cursor_rows`.

Rows come in order of a cursor, but not all become visible in that order: a row gets its id when it is inserted, and is
seen when its transaction ends. So a run begins below the last value, at the `floor`, and leaves out the rows from there
on that it knows, by a fingerprint of what they hold. Rows that are equal in everything are counted, not distinguished.
"""

import shlex
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import chain, compress
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from streammetrics.config import Source
from streammetrics.errors import ConfigError, UsageError
from streammetrics.sources import cursor_values
from streammetrics.sources.cursor_values import Cursor
from streammetrics.sources.records import Record
from streammetrics.store.statements import run

OVERLAP_NUMBERS = 10_000
OVERLAP_SECONDS = 300
"""Where the source does not say how far rows may come out of order."""

MOST_REMEMBERED = 1_000_000
"""Rows from the floor up to the last value: they are held in memory."""

_CURSOR_BYTES = 8
_TEXT_BYTES = 8

Key = tuple[Any, ...]

_TEXTS = attrgetter("ts", "build", "code", "content")

_ADD_MARK = "insert into cursor_marks values ($batch_id, $source, $cursor, $kind, $mark, $floor, $settings)"

_SIZE = "select count(*) from cursor_rows where source = $source"

_FIRST = "select min(loaded_at) from batches where source = $source"

_FORGET = "delete from cursor_rows where batch_id in (select unnest($batch_ids::bigint[]))"


@dataclass(frozen=True)
class Rows:
    """Some rows of a database; they are distinguished by their `keys`: the cursor, the time, the build and the code."""

    cursors: Sequence[Cursor | None]
    keys: Sequence[Key]
    records: Sequence[Record]

    def until(self, place: int) -> "Rows":
        """Those before a place."""
        return Rows(self.cursors[:place], self.keys[:place], self.records[:place])

    def without(self, remembered: dict[bytes, int]) -> "Rows":
        """Those that are not remembered; each that is takes a copy away from what is."""
        is_new = []
        for key in self.keys:
            whole = _fingerprint(key)
            known = next((found for found in (whole, whole[:_CURSOR_BYTES]) if remembered.get(found)), None)
            if known is not None:
                remembered[known] -= 1
            is_new.append(known is None)
        return Rows(*(list(compress(column, is_new)) for column in (self.cursors, self.keys, self.records)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class CursorState:
    """What is known of a source: where to begin, the rows from there on that were taken, with their copies.

    `value` is the last that was read, for people.
    """

    floor: Cursor | None
    remembered: dict[bytes, int]
    value: str = ""


def read(connection: Connection, source: Source, settings: str) -> CursorState:
    """Where to go on with a source; in the caller's transaction.

    Rows that were taken under other `settings` may look different now: they are recognized by their cursor alone.

    Raises:
        ConfigError: it was read by another cursor until now.
    """
    named = {"source": source.name}
    found = run(connection, "jobs/cursor_history", {**named, "has_all": False}).first()
    if found is not None and found.cursor != source.cursor:
        raise ConfigError(
            f"[[source]] {source.name!r}: was read by cursor {found.cursor!r} so far, up to {found.mark}; "
            "to read it by another from its beginning, give it another name"
        )
    floor = None if found is None else cursor_values.parsed(found.kind, found.floor)
    remembered: Counter[bytes] = Counter()
    for fingerprint, taken_under, copies in run(connection, "jobs/remembered_rows", named):
        remembered[bytes(fingerprint if taken_under == settings else fingerprint[:_CURSOR_BYTES])] += copies
    return CursorState(floor, remembered, found.mark if found is not None else "")


def require_overlap(connection: Connection, sources: Iterable[str]) -> None:
    """After batches were removed: refuse it where a next run could not know the rows that still count.

    Raises:
        UsageError: of a source, rows behind the floor of its last batch are no longer remembered.
    """
    for source in sources:
        history = run(connection, "jobs/cursor_history", {"source": source, "has_all": True}).all()
        floor = cursor_values.parsed(history[0].kind, history[0].floor) if history else None
        for row in history:
            if not row.is_known and not _is_passed(cursor_values.parsed(row.kind, row.mark), floor):
                first = connection.exec_driver_sql(_FIRST, {"source": source}).scalar_one()
                raise UsageError(
                    f"[[source]] {source!r}: it is not remembered any more which rows were read up to batch "
                    f"{history[0].batch_id}, so that it cannot be read on from there; nothing was changed; unload all "
                    f"of it: streammetrics unload --source {shlex.quote(source)} --since {first.isoformat()}"
                )


class Taken:
    """The rows of one batch as they pass by, and what is to be remembered of them."""

    def __init__(self, source: Source, portions: Iterable[Rows], floor: Cursor | None, now: datetime) -> None:
        self._source, self._portions, self.now = source, portions, now
        self._recent: deque[Rows] = deque()
        self._hash = blake2b(digest_size=32)
        self.floor = floor
        self.last: Cursor | None = None
        self.count = 0

    def records(self) -> Iterator[Record]:
        """All of them, once."""
        for rows in self._portions:
            self.last = rows.cursors[-1]
            self.count += len(rows.keys)
            texts = chain.from_iterable(map(_TEXTS, rows.records))
            self._hash.update("\0".join(texts).encode("utf-8", "backslashreplace"))
            self._recent.append(rows)
            self._raise_floor()
            yield from rows.records

    @property
    def fingerprint(self) -> str:
        """Of all rows."""
        return self._hash.hexdigest()

    def remember(self, connection: Connection, batch_id: int, settings: str) -> None:
        """Store how far the rows go, and those that the next run will see again; in the caller's transaction.

        Raises:
            ConfigError: these are too many.
        """
        named = {"source": self._source.name}
        keys = chain.from_iterable(rows.keys for rows in self._recent)
        found = " ".join(_fingerprint(key).hex() for key in keys if not _is_passed(key[0], self.floor))
        if found:
            run(connection, "jobs/remember_rows", {"batch_id": batch_id, **named, "fingerprints": found})
        if self.last is not None and self.floor is not None:
            place = {
                "kind": cursor_values.kind_of(self.last),
                "mark": cursor_values.as_text(self.last),
                "floor": cursor_values.as_text(self.floor),
            }
            place["settings"] = settings
            connection.exec_driver_sql(
                _ADD_MARK, {"batch_id": batch_id, **named, "cursor": self._source.cursor, **place}
            )
            passed = [
                row.batch_id
                for row in run(connection, "jobs/cursor_history", {**named, "has_all": False})
                if row.is_known and _is_passed(cursor_values.parsed(row.kind, row.mark), self.floor)
            ]
            if passed:
                connection.exec_driver_sql(_FORGET, {"batch_ids": passed})
        if connection.exec_driver_sql(_SIZE, named).scalar_one() > MOST_REMEMBERED:
            raise ConfigError(
                f"[[source]] {self._source.name!r}: more than {MOST_REMEMBERED:,} rows lie within the overlap; make it "
                "smaller, or take a cursor of which fewer rows have the same value"
            )

    def _raise_floor(self) -> None:
        """The floor follows the last row; what lies below it is forgotten."""
        if self.last is not None:
            floor = self._floor_at(self.last)
            # Texts are compared by the database alone, which gives them in its order.
            self.floor = floor if self.floor is None or isinstance(floor, str) else max(self.floor, floor)
        while self._recent and _is_passed(self._recent[0].cursors[-1], self.floor):
            self._recent.popleft()

    def _floor_at(self, last: Cursor) -> Cursor:
        overlap = self._source.overlap
        if isinstance(last, str):
            return last
        if not isinstance(last, datetime):
            return last - type(last)(OVERLAP_NUMBERS if overlap is None else overlap)  # type: ignore[operator]
        # One clock that is ahead must not decide: later rows with the right time would lie below the floor.
        now = self.now.replace(tzinfo=UTC)
        if last.tzinfo is None:
            now = now.astimezone(ZoneInfo(self._source.timezone)).replace(tzinfo=None)
        return min(last, now) - timedelta(seconds=OVERLAP_SECONDS if overlap is None else overlap)


def _is_passed(value: Cursor | None, floor: Cursor | None) -> bool:
    """Whether a run that begins at the floor begins after such a row."""
    if value is None or floor is None:
        return False
    return value != floor if isinstance(floor, str) else value < floor  # type: ignore[operator]


def _fingerprint(key: Key) -> bytes:
    cursor, *texts = key
    shown = cursor_values.as_text(cursor) if isinstance(cursor, datetime) else cursor
    pieces = ((repr(shown), _CURSOR_BYTES), (repr(texts), _TEXT_BYTES))
    return b"".join(blake2b(text.encode(), digest_size=size).digest() for text, size in pieces)
