"""A batch: what is loaded by one transaction, of one source; what all its statements need to know, and its row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.config.sections import IngestSettings
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.ledger import Boundary
from streammetrics.sources.plain import LONGEST_RECORD
from streammetrics.sources.reader import KEPT_OF_REJECTS
from streammetrics.store import retention
from streammetrics.store.statements import as_json, run

LONGEST_TEXT = 1000
"""Characters of a build or a code. A record with a longer one is rejected: passes group and sort by these texts."""

_FORGET_REJECTS = (
    "delete from rejects where batch_id in (select unnest($batch_ids))",
    "delete from pruned where relation = 'rejects' and batch_id in (select unnest($batch_ids))",
)

_QUARANTINE = "insert into rejects values ($batch_id, $source, $path, 0, $reason, '')"

_ROWS_TAKEN = "select coalesce(max(range_end), 0) from batches where source = $source and path = $path"

_LAST_BATCH = "select max(batch_id) from batches where source = $source and path = $path and records > 0"

_NEXT_IDS = "select min(batch_id) from (select nextval('batch_ids') as batch_id from range($number))"

_NAMED = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True)
class Batch:
    """What is loaded, as what, and when (naive UTC). From before `kept_from` nothing is kept.

    Of several files that are loaded together, which have one source and day, the batches follow each other: the file at
    place n of `paths` is batch `batch_id` + n.
    """

    batch_id: int
    file: SourceFile
    now: datetime
    limits: IngestSettings
    kept_from: datetime | None
    paths: tuple[str, ...]
    continued: dict[int, int] = field(default_factory=dict)
    """The batches that files go on from, by their places."""

    @classmethod
    def begin(cls, connection: Connection, config: Config, files: Sequence[SourceFile], now: datetime) -> "Batch":
        """The next batches, one for each file, in the caller's transaction."""
        first_id = connection.exec_driver_sql(_NEXT_IDS, {"number": len(files)}).scalar_one()
        kept_from, paths = retention.kept_from(connection), tuple(str(file.path) for file in files)
        return cls(first_id, files[0], now, config.ingest, kept_from, paths)

    @property
    def last_id(self) -> int:
        """The batch of the last of them."""
        return self.batch_id + len(self.paths) - 1

    @property
    def parameters(self) -> dict[str, object]:
        """Of all statements. What is later than `latest`, or before `oldest`, comes from a wrong clock."""
        return {
            "batch_id": self.batch_id,
            "last_id": self.last_id,
            "source": self.file.source.name,
            "paths": list(self.paths),
            "longest_record": LONGEST_RECORD,
            "kept_of_rejects": KEPT_OF_REJECTS,
            "zone": self.file.source.timezone,
            "day": self.file.day(),
            "time_format": self.file.source.time_format,
            "latest": self.now + timedelta(seconds=self.limits.future_limit_seconds),
            "future_limit_seconds": self.limits.future_limit_seconds,
            "oldest": self.now - timedelta(days=self.limits.oldest_days),
            "oldest_days": self.limits.oldest_days,
            "longest_text": LONGEST_TEXT,
            "kept_from": self.kept_from,
            "code_pattern": self.file.source.code_pattern,
            "before_build": "" if self.file.source.stratum is None else f"{self.file.source.stratum}/",
        }

    @property
    def has_order(self) -> bool:
        """Whether the order of lines may decide what a time means."""
        return self.file.source.timezone != "UTC"


@dataclass(frozen=True)
class Tally:
    """What became of the records of a file, and when the first and the last were; the first reject in words.

    `misread` are the rejects that other settings might read: all but those that are older than what is kept. Of those
    that are of the future, `least_ahead` and `most_ahead` are how far (s) they are ahead of the clock.
    `header_line`: see `Boundary`.
    """

    records: int = 0
    rejected: int = 0
    first_reject: str = ""
    min_ts: datetime | None = None
    max_ts: datetime | None = None
    misread: int = 0
    least_ahead: int | None = None
    most_ahead: int | None = None
    header_line: int | None = None

    def with_records(self, other: "Tally") -> "Tally":
        """The tally of more records of the same file."""
        first = min((ts for ts in (self.min_ts, other.min_ts) if ts is not None), default=None)
        last = max((ts for ts in (self.max_ts, other.max_ts) if ts is not None), default=None)
        return replace(self, records=self.records + other.records, min_ts=first, max_ts=last)


@dataclass(frozen=True)
class LedgerRow:
    """A row to be, of bytes of a file; those of a duplicate are what the batch has that it is `duplicate_of`."""

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
    duplicate_of: int | None = None
    header_line: int | None = None
    tally: Tally = Tally()

    @property
    def is_new(self) -> bool:
        """Whether there are bytes, and no other batch has them."""
        return self.start < self.end and self.duplicate_of is None

    @property
    def boundary(self) -> Boundary:
        """Where it will end, as other files of its transaction see it."""
        place = (self.batch_id, str(self.file.path), self.start, self.end, self.fingerprint, self.prefix, self.lines)
        return Boundary(*place, self.file.inode, self.head, False, False, self.settings, self.header_line)

    @property
    def columns(self) -> dict[str, object]:
        """Those of `batches` and of `contents`."""
        return {
            "batch_id": self.batch_id,
            "source": self.file.source.name,
            "path": str(self.file.path),
            "range_start": self.start,
            "range_end": self.end,
            "fingerprint": self.fingerprint,
            "modified_ns": self.file.modified_ns,
            "records": self.tally.records,
            "rejected": self.tally.rejected,
            "min_ts": self.tally.min_ts,
            "max_ts": self.tally.max_ts,
            "loaded_at": self.loaded_at,
            "duplicate_of": self.duplicate_of,
            # A line that waits for its end must not be forgotten when the file does not change again.
            "file_bytes": self.end if self.file.can_grow else self.file.size,
            "inode": self.file.inode,
            "head": self.head,
            "prefix": self.prefix,
            "lines": self.lines,
            "settings": self.settings,
            "header_line": self.tally.header_line or self.header_line,
        }


def record(connection: Connection, rows: Sequence[LedgerRow], *, are_files: bool = True) -> None:
    """Add rows to the ledger, in the transaction of the records that they describe; those of files have a content."""
    if rows:
        columns = {"rows": as_json([row.columns for row in rows])}
        run(connection, "jobs/add_batches", columns)
        if are_files:
            run(connection, "jobs/add_contents", columns)


def rows_taken(connection: Connection, file: SourceFile) -> int:
    """How many rows were ever taken from a database."""
    place = {"source": file.source.name, "path": str(file.path)}
    return int(connection.exec_driver_sql(_ROWS_TAKEN, place).scalar_one())


def last_batch(connection: Connection, file: SourceFile) -> int:
    """The latest batch with records of a database, from which its next rows go on; 0 where there is none."""
    place = {"source": file.source.name, "path": str(file.path)}
    return int(connection.exec_driver_sql(_LAST_BATCH, place).scalar() or 0)


def quarantine(connection: Connection, row: LedgerRow, reason: str) -> None:
    """A file that cannot be read, with the reason; it is read again when it, or its settings, change."""
    place = {"batch_id": row.batch_id, "source": row.file.source.name, "path": str(row.file.path)}
    connection.exec_driver_sql(_QUARANTINE, {**place, "reason": reason})
    record(connection, [row])


def supersede(connection: Connection, batch_ids: Sequence[int], by: int) -> None:
    """Batches that counted nothing are read again as another one, which has their rejects from now on."""
    if batch_ids:
        for text in _FORGET_REJECTS:
            connection.exec_driver_sql(text, {"batch_ids": list(batch_ids)})
        run(connection, "jobs/supersede_batches", {"batch_ids": list(batch_ids), "superseded_by": by})


def execute(connection: Connection, text: str, parameters: Mapping[str, object]) -> int:
    """Run a statement with those parameters that it names; the number that it returns, 0 where it returns none."""
    named = set(_NAMED.findall(text))
    found = connection.exec_driver_sql(text, {name: value for name, value in parameters.items() if name in named})
    return int(found.scalar() or 0)
