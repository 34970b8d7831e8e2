"""A batch: what is loaded by one transaction, of one source, and what all its statements need to know."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.sources import ledger_rows
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.plain import LONGEST_RECORD
from streammetrics.sources.reader import KEPT_OF_REJECTS
from streammetrics.store import retention

LONGEST_TEXT = 1000
"""Characters of a build or a code. A record with a longer one is rejected: passes group and sort by these texts."""


@dataclass(frozen=True)
class Batch:
    """What is loaded, as what, and when (naive UTC). From before `kept_from` nothing is kept.

    Of several files that are loaded together, which have one source and day, the batches follow each other: the file at
    place n of `paths` is batch `batch_id` + n.
    """

    batch_id: int
    file: SourceFile
    now: datetime
    future_limit_seconds: int
    oldest_days: int
    kept_from: datetime | None
    paths: tuple[str, ...]
    continued: dict[int, int] = field(default_factory=dict)
    """The batches that files go on from, by their places."""

    @classmethod
    def begin(cls, connection: Connection, config: Config, files: Sequence[SourceFile], now: datetime) -> "Batch":
        """The next batches, one for each file, in the caller's transaction."""
        first_id, limits = ledger_rows.next_batch_id(connection, len(files)), config.ingest
        kept_from, paths = retention.kept_from(connection), tuple(str(file.path) for file in files)
        return cls(first_id, files[0], now, limits.future_limit_seconds, limits.oldest_days, kept_from, paths)

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
            "latest": self.now + timedelta(seconds=self.future_limit_seconds),
            "future_limit_seconds": self.future_limit_seconds,
            "oldest": self.now - timedelta(days=self.oldest_days),
            "oldest_days": self.oldest_days,
            "longest_text": LONGEST_TEXT,
            "kept_from": self.kept_from,
            "code_pattern": self.file.source.code_pattern,
            "before_build": "" if self.file.source.stratum is None else f"{self.file.source.stratum}/",
        }

    @property
    def has_order(self) -> bool:
        """Whether the order of lines may decide what a time means."""
        return self.file.source.timezone != "UTC"
