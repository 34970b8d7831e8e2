"""What ingest reports of each file."""

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
    """What became of a file. `records` were counted, `rejected` could not be read; `replaced` is the former content.

    `message` is for people, and empty for a file known from an earlier run, or one that was loaded without a reject or
    a suspicion. `waiting_bytes` are of a last line without its end, or begin with line `open_quote_line`, which opens a
    quote that nothing closes yet. `is_done`: all of the file counts, so that it may go.
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
    """No record of a file counts; `first_time` is the time of the first as text, where the reader took that record."""
    source = f"[[source]] {file.source.name!r}"
    remedy = f"mend columns, delimiter or format of {source}, or the file"
    if "time cannot be read by time_format" in first_reject:
        remedy = f"mend time_format of {source}, by which alone its times are read, or columns, if that is no time"
    elif "stratum is no word of letters" in first_reject:
        remedy = f"set columns.stratum of {source} to a column of names such as ios, or leave it out"
    elif "ingest.oldest_days" in first_reject:
        remedy = f"raise oldest_days of [ingest], if they are so old, or mend columns or time_format of {source}"
    elif "the clock" in first_reject:
        remedy = f"mend timezone of {source}, or the clock that wrote it"
    elif "time cannot be read" in first_reject:
        first_reject += f": {first_time[:SHOWN_CHARACTERS]!r}"
        remedy = f"{_READABLE}; {_SETTABLE.format(source=source)}"
    records = f"{rejected:,} record{'s' if rejected > 1 else ''}"
    return DamagedInputError(
        f"{file.path}: nothing of it counts: {records}, all rejected; {first_reject}; {remedy}; "
        "it is read again once the file or these settings are others"
    )


def rejected_copy(path: Path, original: str) -> DamagedInputError:
    """A file that holds what another one held, which counts for nothing."""
    return DamagedInputError(
        f"{path}: nothing of it counts: same content as {original}, whose records were all rejected"
    )


def is_fatal(error: DBAPIError) -> bool:
    """Whether every later call of this process fails too, whatever the file: so it is after a full disk."""
    import duckdb

    return isinstance(error.orig, duckdb.FatalException | duckdb.InternalException)


def problem(store: Path, path: Path, error: StreammetricsError | OSError | DBAPIError) -> StreammetricsError:
    """Why what lies at a path was not read, or not taken by the store.

    Raises:
        InputOutputError: it is the store itself that failed, or was replaced.
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
    """How many records of a file were rejected, and why the first was; empty where none was."""
    if not tally.rejected:
        return ""
    return f"{path}: {tally.records:,} accepted, {tally.rejected:,} rejected; {tally.first_reject}"


def with_suspicion(outcome: FileOutcome, source: Source, batch_id: int, tally: Tally, now: datetime) -> FileOutcome:
    """The outcome, with the sentence of `suspicion` below its message."""
    suspected = suspicion(source, outcome.path, batch_id, tally, now)
    return replace(outcome, message=f"{outcome.message}\n{suspected}".strip()) if suspected else outcome


def suspicion(source: Source, path: Path, batch_id: int, tally: Tally, now: datetime) -> str:
    """A sentence where all records of a batch lie ahead of the clock, as by a wrong time zone; else empty.

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
        f"timezone = {source.timezone!r} of [[source]] {source.name!r} wrong? {undo}mend it, and they are read again"
    )
