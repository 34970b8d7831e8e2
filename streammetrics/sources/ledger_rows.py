"""Rows of the ledger to be, each in the transaction of the records that it tells of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.sources.discovery import SourceFile

_FIELDS = (
    "batch_id, source, path, range_start, range_end, fingerprint, modified_ns, "
    "records, rejected, min_ts, max_ts, loaded_at, duplicate_of"
)

_CONTENT_FIELDS = "batch_id, file_bytes, inode, head, prefix, lines, settings, header_line"

_FORGET_REJECTS = (
    "delete from rejects where batch_id in (select unnest($batch_ids))",
    "delete from pruned where relation = 'rejects' and batch_id in (select unnest($batch_ids))",
)

_SUPERSEDE = """update batches set rejected = 0, duplicate_of = $by
    where batch_id in (select unnest($batch_ids)) or duplicate_of in (select unnest($batch_ids))"""

_QUARANTINE = "insert into rejects values ($batch_id, $source, $path, 0, $reason, '')"


@dataclass(frozen=True)
class Entry:
    """A row to be, of bytes of a file: `records` were counted, or are those of the batch that it is `duplicate_of`."""

    batch_id: int
    file: SourceFile
    loaded_at: datetime
    settings: str
    start: int = 0
    end: int = 0
    fingerprint: str = ""
    head: str = ""
    prefix: str = ""
    lines: int | None = None
    records: int = 0
    rejected: int = 0
    min_ts: datetime | None = None
    max_ts: datetime | None = None
    duplicate_of: int | None = None
    header_line: int | None = None

    @property
    def is_new(self) -> bool:
        """Whether there are bytes, and no other batch has them."""
        return self.start < self.end and self.duplicate_of is None

    @property
    def row(self) -> tuple[object, ...]:
        return (
            *(self.batch_id, self.file.source.name, str(self.file.path), self.start, self.end, self.fingerprint),
            *(self.file.modified_ns, self.records, self.rejected, self.min_ts, self.max_ts, self.loaded_at),
            self.duplicate_of,
        )

    @property
    def content_row(self) -> tuple[object, ...]:
        # A line that waits for its end must not be forgotten when the file does not change again.
        size = self.end if self.file.can_grow else self.file.size
        return self.batch_id, size, self.file.inode, self.head, self.prefix, self.lines, self.settings, self.header_line


def next_batch_id(connection: Connection, number: int = 1) -> int:
    """The first of so many numbers, one after the other, that no batch had."""
    sql = "select min(batch_id) from (select nextval('batch_ids') as batch_id from range($number))"
    return int(connection.exec_driver_sql(sql, {"number": number}).scalar_one())


def record(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add rows, in the transaction of the records that they tell of."""
    if entries:
        _insert(connection, "batches", _FIELDS, [entry.row for entry in entries])
        _insert(connection, "contents", _CONTENT_FIELDS, [entry.content_row for entry in entries])


def _insert(connection: Connection, table: str, fields: str, rows: Sequence[tuple[object, ...]]) -> None:
    """All rows by one statement, column by column: a statement a row takes a hundred times as long."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    values = ", ".join("unnest(?)" for _ in columns)
    connection.exec_driver_sql(f"insert into {table} ({fields}) select {values}", tuple(columns))


def quarantine(connection: Connection, entry: Entry, reason: str) -> None:
    """A file that cannot be read, with the reason; it is read again when it, or its settings, change."""
    place = {"batch_id": entry.batch_id, "source": entry.file.source.name, "path": str(entry.file.path)}
    connection.exec_driver_sql(_QUARANTINE, {**place, "reason": reason})
    record(connection, [entry])


def supersede(connection: Connection, batch_ids: Sequence[int], by: int) -> None:
    """Batches that counted nothing are read again as another one, which has their rejects from now on."""
    if batch_ids:
        for statement in _FORGET_REJECTS:
            connection.exec_driver_sql(statement, {"batch_ids": list(batch_ids)})
        connection.exec_driver_sql(_SUPERSEDE, {"batch_ids": list(batch_ids), "by": by})
