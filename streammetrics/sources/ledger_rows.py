"""Rows of the ledger to be, each in the transaction of the records that it describes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.sources.discovery import SourceFile
from streammetrics.store.statements import run

_FORGET_REJECTS = (
    "delete from rejects where batch_id in (select unnest($batch_ids))",
    "delete from pruned where relation = 'rejects' and batch_id in (select unnest($batch_ids))",
)

_QUARANTINE = "insert into rejects values ($batch_id, $source, $path, 0, $reason, '')"

_ROWS_TAKEN = "select coalesce(max(range_end), 0) from batches where source = $source and path = $path"


@dataclass(frozen=True)
class LedgerRow:
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
    def batch(self) -> dict[str, object]:
        """The row of `batches`, by its columns."""
        return {
            "batch_id": self.batch_id,
            "source": self.file.source.name,
            "path": str(self.file.path),
            "range_start": self.start,
            "range_end": self.end,
            "fingerprint": self.fingerprint,
            "modified_ns": self.file.modified_ns,
            "records": self.records,
            "rejected": self.rejected,
            "min_ts": self.min_ts,
            "max_ts": self.max_ts,
            "loaded_at": self.loaded_at,
            "duplicate_of": self.duplicate_of,
        }

    @property
    def content(self) -> dict[str, object]:
        """The row of `contents`, by its columns."""
        return {
            "batch_id": self.batch_id,
            # A line that waits for its end must not be forgotten when the file does not change again.
            "file_bytes": self.end if self.file.can_grow else self.file.size,
            "inode": self.file.inode,
            "head": self.head,
            "prefix": self.prefix,
            "lines": self.lines,
            "settings": self.settings,
            "header_line": self.header_line,
        }


def next_batch_id(connection: Connection, number: int = 1) -> int:
    """The first of so many numbers, one after the other, that no batch had."""
    sql = "select min(batch_id) from (select nextval('batch_ids') as batch_id from range($number))"
    return int(connection.exec_driver_sql(sql, {"number": number}).scalar_one())


def record(connection: Connection, rows: Sequence[LedgerRow]) -> None:
    """Add the rows of files, in the transaction of the records that they describe."""
    if rows:
        run(connection, "jobs/add_batches", _columns([row.batch for row in rows]))
        run(connection, "jobs/add_contents", _columns([row.content for row in rows]))


def record_rows(connection: Connection, row: LedgerRow, count: int) -> None:
    """Add the row of so many rows of a database; its range is that of the rows taken from there ever."""
    place = {"source": row.file.source.name, "path": str(row.file.path)}
    taken = connection.exec_driver_sql(_ROWS_TAKEN, place).scalar_one()
    run(connection, "jobs/add_batches", _columns([replace(row, start=taken, end=taken + count).batch]))


def _columns(rows: Sequence[Mapping[str, object]]) -> dict[str, list[object]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def quarantine(connection: Connection, row: LedgerRow, reason: str) -> None:
    """A file that cannot be read, with the reason; it is read again when it, or its settings, change."""
    place = {"batch_id": row.batch_id, "source": row.file.source.name, "path": str(row.file.path)}
    connection.exec_driver_sql(_QUARANTINE, {**place, "reason": reason})
    record(connection, [row])


def supersede(connection: Connection, batch_ids: Sequence[int], by: int) -> None:
    """Batches that counted nothing are read again as another one, which has their rejects from now on."""
    if batch_ids:
        for statement in _FORGET_REJECTS:
            connection.exec_driver_sql(statement, {"batch_ids": list(batch_ids)})
        run(connection, "jobs/supersede_batches", {"batch_ids": list(batch_ids), "superseded_by": by})
