"""What ingest tells of each file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from streammetrics.errors import StreammetricsError


@dataclass(frozen=True)
class FileOutcome:
    """What became of a file. `records` were counted, `rejected` could not be read.

    `message` is for people, and empty where there is nothing to tell: a file known from an earlier run, or one that was
    loaded without a reject. `waiting_bytes` are of a last line without its end. `is_done`: all of the file counts, so
    that it may go.
    """

    path: Path
    state: Literal["loaded", "skipped", "failed"]
    records: int = 0
    rejected: int = 0
    batch_id: int | None = None
    message: str = ""
    error: StreammetricsError | None = None
    waiting_bytes: int = 0
    is_done: bool = False


def failed(path: Path, error: StreammetricsError) -> FileOutcome:
    """A file that could not be read, or not be loaded."""
    return FileOutcome(path, "failed", message=str(error), error=error)
