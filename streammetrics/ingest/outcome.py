"""What ingest reports about each file."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DBAPIError

from streammetrics.config import Source
from streammetrics.errors import DamagedInputError, InputOutputError, ReplacedStoreError, StreammetricsError
from streammetrics.ingest.base_tables import AHEAD_SECONDS
from streammetrics.ingest.batch import Tally
from streammetrics.runtime import atomic_files
from streammetrics.sources import open_once
from streammetrics.sources.discovery import SourceFile

SHOWN_CHARACTERS = 60

_READABLE = (
    "times can be ISO 8601, with a zone or without, seconds, milli-, micro- or nanoseconds since 1970, "
    "or times of day where date is set"
)
_SETTABLE = (
    'for others set time_format of {source}, such as time_format = "%d.%m.%Y %H:%M:%S", or columns, if that is no time'
)


@dataclass(frozen=True)
class FileOutcome:
    """The result of a file. `records` were accepted, `rejected` were not; `replaced` is the former content.

    `message` is for people. It is empty for a file known from an earlier run, or loaded without a reject or a
    suspicion.
    `waiting_bytes`: the size of a last line without its line end, or of everything from line `open_quote_line` on,
    which opens a quote that is not closed yet. `is_done`: all of the file is committed, so it may be moved or deleted.
    """

    path: Path
    state: Literal["loaded", "skipped", "failed", "replaced"]
    records: int = 0
    rejected: int = 0
    batch_id: int | None = None
    message: str = ""
    error: StreammetricsError | None = None
    waiting_bytes: int = 0
    open_quote_line: int | None = None
    is_done: bool = False


def failed(path: Path, error: StreammetricsError) -> FileOutcome:
    """A file that could not be read, or not be loaded."""
    return FileOutcome(path, "failed", message=str(error), error=error)


def all_rejected(file: SourceFile, rejected: int, first_reject: str, first_time: str) -> DamagedInputError:
    """The error if no record of a file was accepted; `first_time` is the first record's time as text, if known."""
    source = f"[[source]] {file.source.name!r}"
    remedy = f"correct columns, delimiter or format of {source}, or the file"
    if "time cannot be read by time_format" in first_reject:
        remedy = f"correct time_format of {source}, by which alone its times are read, or columns, if that is no time"
    elif "stratum is no word of letters" in first_reject:
        remedy = f"set columns.stratum of {source} to a column of names such as ios, or leave it out"
    elif "ingest.oldest_days" in first_reject:
        remedy = f"raise oldest_days of [ingest], if they are so old, or correct columns or time_format of {source}"
    elif "the clock" in first_reject or "this local time" in first_reject:
        remedy = f"correct timezone of {source}, or the clock that wrote it"
    elif "time cannot be read" in first_reject:
        first_reject += f": {first_time[:SHOWN_CHARACTERS]!r}"
        remedy = f"{_READABLE}; {_SETTABLE.format(source=source)}"
    return DamagedInputError(
        f"{file.path}: no record was accepted: {rejected:,} rejected; {first_reject}; {remedy}; "
        "it is read again after the file or these settings change"
    )


def rejected_copy(path: Path, original: str) -> DamagedInputError:
    """The error for a file with the content of another one, of which no record was accepted."""
    return DamagedInputError(
        f"{path}: no record was accepted: same content as {original}, whose records were all rejected"
    )


def is_fatal(error: DBAPIError) -> bool:
    """Whether every later call of this process fails too, as after a full disk."""
    import duckdb

    return isinstance(error.orig, duckdb.FatalException | duckdb.InternalException)


def problem(store: Path, path: Path, error: StreammetricsError | OSError | DBAPIError) -> StreammetricsError:
    """The error for a path that could not be read, or not be stored.

    Raises:
        InputOutputError: the store itself failed, or was replaced.
    """
    if isinstance(error, ReplacedStoreError):
        raise error
    if isinstance(error, StreammetricsError):
        return error
    if isinstance(error, OSError):
        return InputOutputError(f"{path}: cannot be read: {atomic_files.reason(error)}")
    reported = str(error.orig)
    if is_fatal(error):
        raise InputOutputError(f"{store}: the store failed: {reported[:300]}") from None
    return InputOutputError(f"{path}: cannot be loaded: {open_once.named(reported, path)[:200]}")


def rejects_in_words(path: Path, tally: Tally) -> str:
    """How many records of a file were rejected, and why the first was; empty if none was."""
    if not tally.rejected:
        return ""
    return f"{path}: {tally.records:,} accepted, {tally.rejected:,} rejected; {tally.first_reject}"


def with_suspicion(outcome: FileOutcome, source: Source, batch_id: int, tally: Tally, now: datetime) -> FileOutcome:
    """The outcome, with the sentence of `suspicion` added to its message."""
    suspected = suspicion(source, outcome.path, batch_id, tally, now)
    return replace(outcome, message=f"{outcome.message}\n{suspected}".strip()) if suspected else outcome


def suspicion(source: Source, path: Path, batch_id: int, tally: Tally, now: datetime) -> str:
    """A sentence if all records of a batch are ahead of the clock, as with a wrong time zone; else empty.

    Args:
        now: naive UTC, when the batch was loaded.
    """
    ahead = [timedelta(seconds=seconds) for seconds in (tally.least_ahead, tally.most_ahead) if seconds is not None]
    ahead += [moment - now for moment in (tally.min_ts, tally.max_ts) if moment is not None]
    least, most = AHEAD_SECONDS
    if not ahead or min(ahead) <= timedelta(seconds=least) or max(ahead) > timedelta(seconds=most):
        return ""
    first, last = (timedelta(seconds=round(span.total_seconds())) for span in (min(ahead), max(ahead)))
    undo = f"`streammetrics unload {batch_id}`, " if tally.records else ""
    return (
        f"{path}: all new records are ahead of the clock, the first by {first}, the last by {last} (h:mm:ss): is "
        f"timezone = {source.timezone!r} of [[source]] {source.name!r} wrong? {undo}correct it, and they are read again"
    )
