"""What ingest tells of each file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DBAPIError

from streammetrics.errors import InputOutputError, StreammetricsError


@dataclass(frozen=True)
class FileOutcome:
    """What became of a file. `records` were counted, `rejected` could not be read; `replaced` is the former content.

    `message` is for people, and empty where there is nothing to tell: a file known from an earlier run, or one that was
    loaded without a reject. `waiting_bytes` are of a last line without its end. `is_done`: all of the file counts, so
    that it may go.
    """

    path: Path
    state: Literal["loaded", "skipped", "failed", "replaced"]
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


def is_fatal(error: DBAPIError) -> bool:
    """Whether every later call of this process fails too, whatever the file: so it is after a full disk."""
    import duckdb

    return isinstance(error.orig, duckdb.FatalException | duckdb.InternalException)


def not_taken(store: Path, path: Path, error: DBAPIError) -> InputOutputError:
    """Why the store did not take what lies at a path.

    Raises:
        InputOutputError: the store itself failed.
    """
    said = str(error.orig)
    if is_fatal(error):
        raise InputOutputError(f"{store}: the store failed: {said[:300]}") from None
    return InputOutputError(f"{path}: cannot be loaded: {said[:200]}")
