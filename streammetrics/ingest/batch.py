"""A batch: what one transaction loads of one source; the parameters of its statements, and its ledger row."""

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
"""Most characters of a build or a code. Longer ones are rejected, because passes group and sort by these texts."""

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
    """What is loaded, from which source, and when (naive UTC). Retention keeps nothing from before `kept_from`.

    Files that are loaded together have one source and day, and consecutive batch numbers: the file at place n of
    `paths` is batch `batch_id` + n.
    """

    batch_id: int
    file: SourceFile
    now: datetime
    limits: IngestSettings
    kept_from: datetime | None
    paths: tuple[str, ...]
    continued: dict[int, int] = field(default_factory=dict)
    """The batches that the files continue, by place."""

    @classmethod
    def begin(cls, connection: Connection, config: Config, files: Sequence[SourceFile], now: datetime) -> "Batch":
        """The next batches, one for each file, in the caller's transaction."""
        first_id = connection.exec_driver_sql(_NEXT_IDS, {"number": len(files)}).scalar_one()
        kept_from, paths = retention.kept_from(connection), tuple(str(file.path) for file in files)
        return cls(first_id, files[0], now, config.ingest, kept_from, paths)

    @property
    def last_id(self) -> int:
        """The last batch number."""
        return self.batch_id + len(self.paths) - 1

    @property
    def parameters(self) -> dict[str, object]:
        """Parameters of all statements. Times after `latest` or before `oldest` come from wrong clocks."""
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
        """Whether the order of lines may resolve times of the hour that occurs twice."""
        return self.file.source.timezone != "UTC"


@dataclass(frozen=True)
class Tally:
    """How many records of a file were accepted and rejected, the first and last time, and the first reject in words.

    `misread` counts rejects that other settings might read: all but those older than retention keeps. `least_ahead` and
    `most_ahead`: how far (s) the records that lie in the future are ahead of the clock.
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
        """The sum with a tally of further records of the same file."""
        first = min((ts for ts in (self.min_ts, other.min_ts) if ts is not None), default=None)
        last = max((ts for ts in (self.max_ts, other.max_ts) if ts is not None), default=None)
        return replace(self, records=self.records + other.records, min_ts=first, max_ts=last)


@dataclass(frozen=True)
class LedgerRow:
    """A future row of the ledger, for a byte range of a file; a duplicate repeats those of the batch `duplicate_of`."""

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
        """Whether the range is not empty, and no other batch has it."""
        return self.start < self.end and self.duplicate_of is None

    @property
    def boundary(self) -> Boundary:
        """Where the range will end, for other files of the same transaction."""
        place = (self.batch_id, str(self.file.path), self.start, self.end, self.fingerprint, self.prefix, self.lines)
        return Boundary(*place, self.file.inode, self.head, False, False, self.settings, self.header_line)

    @property
    def columns(self) -> dict[str, object]:
        """The parameters of the rows of `batches` and `contents`."""
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
            # A waiting line must not be forgotten if the file does not change again.
            "file_bytes": self.end if self.file.can_grow else self.file.size,
            "inode": self.file.inode,
            "head": self.head,
            "prefix": self.prefix,
            "lines": self.lines,
            "settings": self.settings,
            "header_line": self.tally.header_line or self.header_line,
        }


def record(connection: Connection, rows: Sequence[LedgerRow], *, are_files: bool = True) -> None:
    """Add rows to the ledger, in the transaction of their records; rows of files also get a row in `contents`."""
    if rows:
        columns = {"rows": as_json([row.columns for row in rows])}
        run(connection, "jobs/add_batches", columns)
        if are_files:
            run(connection, "jobs/add_contents", columns)


def rows_taken(connection: Connection, file: SourceFile) -> int:
    """How many rows were ever read from a database."""
    place = {"source": file.source.name, "path": str(file.path)}
    return int(connection.exec_driver_sql(_ROWS_TAKEN, place).scalar_one())


def last_batch(connection: Connection, file: SourceFile) -> int:
    """The latest batch with records of a database; 0 if there is none. The next rows continue it."""
    place = {"source": file.source.name, "path": str(file.path)}
    return int(connection.exec_driver_sql(_LAST_BATCH, place).scalar() or 0)


def quarantine(connection: Connection, row: LedgerRow, reason: str) -> None:
    """Record a file that cannot be read, with the reason; it is read again when it or its settings change."""
    place = {"batch_id": row.batch_id, "source": row.file.source.name, "path": str(row.file.path)}
    connection.exec_driver_sql(_QUARANTINE, {**place, "reason": reason})
    record(connection, [row])


def supersede(connection: Connection, batch_ids: Sequence[int], by: int) -> None:
    """Replace batches without accepted records by the batch that reads them again, which gets their rejects."""
    if batch_ids:
        for text in _FORGET_REJECTS:
            connection.exec_driver_sql(text, {"batch_ids": list(batch_ids)})
        run(connection, "jobs/supersede_batches", {"batch_ids": list(batch_ids), "superseded_by": by})


def execute(connection: Connection, text: str, parameters: Mapping[str, object]) -> int:
    """Run a statement with the parameters that it names; returns its number, or 0 if it returns none."""
    named = set(_NAMED.findall(text))
    found = connection.exec_driver_sql(text, {name: value for name, value in parameters.items() if name in named})
    return int(found.scalar() or 0)
