"""Files into the store: each is one transaction of events, counters, builds, rejects and its ledger row, or nothing.

What the ledger knows is not read again, and what was read under another name is not counted again. A file that fails
does not stop the others.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics import retention, versions, wide
from streammetrics.config import Config, Source
from streammetrics.errors import InputOutputError, StreammetricsError, UsageError
from streammetrics.sources import content, files, ledger, load, readings, unpack
from streammetrics.sources.content import Content
from streammetrics.sources.files import SourceFile
from streammetrics.sources.load import Batch, Rejected
from streammetrics.sources.readings import Reading

Clock = Callable[[], datetime]
OnProgress = Callable[[float, float], None]


@dataclass(frozen=True)
class FileOutcome:
    """What became of a file. `records` were counted, `rejected` could not be read.

    `message` is for people, and empty where there is nothing to tell: a file known from an earlier run, or one that was
    loaded without a reject.
    """

    path: Path
    state: Literal["loaded", "skipped", "failed"]
    records: int = 0
    rejected: int = 0
    batch_id: int | None = None
    message: str = ""
    error: StreammetricsError | None = None


def ingest(
    connection: Connection,
    config: Config,
    paths: Sequence[Path],
    source: str | None,
    clock: Clock,
    on_progress: OnProgress = lambda done, total: None,
) -> Iterator[FileOutcome]:
    """Load what is new in `paths`, or in the configured sources where there are none; `source` names one of those.

    Args:
        connection: of the store at `config.store_path`, held for writing, with no transaction begun.
        clock: gives the time now, naive UTC.
        on_progress: is told the bytes done and the bytes to do.

    Yields:
        An outcome per file, and one per glob that matched nothing. A file that fails does not stop the others.

    Raises:
        UsageError: the source is not known, or is to be named.
        InputOutputError: the store itself failed, as on a full disk; nothing more can be loaded by this process.
    """
    found: dict[Path, SourceFile] = {}
    for chosen, pattern in _wanted(config, paths, source):
        matches = list(files.expand(pattern))
        if not matches:
            yield FileOutcome(pattern, "skipped", message=f"[[source]] {chosen.name!r}: no file matches {pattern}")
        for path in matches:
            try:
                found.setdefault(path, files.describe(chosen, path))
            except StreammetricsError as error:
                yield FileOutcome(path, "failed", message=str(error), error=error)
    known = ledger.known(connection, list(found.values()))
    total, done = sum(file.size for file in found.values() if file.path not in known), 0
    for file in found.values():
        if file.path in known:
            yield FileOutcome(file.path, "skipped")
            continue
        on_progress(done, total)
        yield _try(connection, config, file, clock())
        done += file.size
        on_progress(done, total)


def _wanted(config: Config, paths: Sequence[Path], name: str | None) -> list[tuple[Source, Path]]:
    """Which paths and globs are asked for, and the source whose settings apply to each."""
    sources = {source.name: source for source in config.source}
    known = ", ".join(sources) or "none"
    if name is not None and name not in sources:
        raise UsageError(f"--source {name}: there is no such [[source]]; configured are: {known}")
    if not paths:
        if not sources:
            raise UsageError("there is nothing to read: name files, or configure a [[source]] with their path")
        chosen = [sources[name]] if name is not None else list(config.source)
        return [(source, config.resolve(source.path)) for source in chosen if source.path is not None]
    if name is None and len(sources) > 1:
        raise UsageError(f"several [[source]] are configured: say with --source whose settings apply: {known}")
    default = config.source[0] if config.source else Source(name="files", path="*")
    return [(sources[name] if name is not None else default, path) for path in paths]


def _try(connection: Connection, config: Config, file: SourceFile, now: datetime) -> FileOutcome:
    """Load a file; what is wrong with it becomes its outcome."""
    try:
        with scratch_folder(config) as scratch:
            return _load(_Job(connection, file, scratch, now, config.ingest.future_limit_seconds))
    except StreammetricsError as error:
        failure = error
    except OSError as error:
        failure = InputOutputError(f"{file.path}: cannot be read: {error.strerror or error}")
    except DBAPIError as error:
        if is_fatal(error):
            raise InputOutputError(f"{config.store_path}: the store failed: {str(error.orig)[:300]}") from None
        failure = InputOutputError(f"{file.path}: cannot be loaded: {str(error.orig)[:200]}")
    return FileOutcome(file.path, "failed", message=str(failure), error=failure)


@dataclass(frozen=True)
class _Job:
    """One file on its way into the store."""

    connection: Connection
    file: SourceFile
    scratch: Path
    now: datetime
    future_limit_seconds: int


def _load(job: _Job) -> FileOutcome:
    found = content.examine(unpack.unpack(job.file, job.scratch / "content"))
    with job.connection.begin():
        same = ledger.same_content(job.connection, job.file, found)
        if same is not None or not found.size:
            return _skip(job, found, same)
        ledger.refuse_grown(job.connection, job.file, found)
    plan = readings.plan(job.connection, job.file, found)
    quick = plan.quick()
    if quick is not None:
        try:
            return _commit(job, found, [quick], load.quickly)
        except DBAPIError as error:
            if is_fatal(error):
                raise
    return _commit(job, found, plan.careful(job.scratch), load.carefully)


def _commit(
    job: _Job,
    found: Content,
    parts: Iterable[Reading],
    insert: Callable[[Connection, Iterable[Reading], Batch], Rejected],
) -> FileOutcome:
    """The transaction: all that a file leaves in the store."""
    connection, path = job.connection, job.file.path
    with connection.begin():
        limits = job.future_limit_seconds, retention.kept_from(connection)
        batch = Batch(ledger.next_batch_id(connection), job.file, job.now, *limits)
        rejected = insert(connection, parts, batch)
        records, first, last = load.count(connection, batch.batch_id)
        note = wide.publish(connection) if versions.update_builds(connection, batch.batch_id) else ""
        is_rewritten = ledger.is_rewritten(connection, job.file)
        entry = ledger.Entry(batch.batch_id, job.now, records, rejected.records, first, last)
        ledger.record(connection, job.file, found, entry)
        # After all reading, that of the fingerprint included.
        if job.file.is_changed():
            raise InputOutputError(f"{path}: was written to while it was read; nothing of it was loaded")
    noun = "record" if records == 1 else "records"
    told = f"{path}: {records:,} {noun}, {rejected.records:,} rejected; {rejected.first}" if rejected.records else ""
    other = f"{path}: was loaded before with other content; what it holds now was counted as new records"
    message = "\n".join(filter(None, (other if is_rewritten else "", told, note)))
    return FileOutcome(path, "loaded", records, rejected.records, batch.batch_id, message)


def _skip(job: _Job, found: Content, same: ledger.Loaded | None) -> FileOutcome:
    """Leave a row in the ledger, so that the file is known by its name next time."""
    batch_id = ledger.next_batch_id(job.connection)
    duplicate_of = same.batch_id if same else None
    ledger.record(job.connection, job.file, found, ledger.Entry(batch_id, job.now, duplicate_of=duplicate_of))
    path = str(job.file.path)
    if same is None:
        what = "is empty"
    elif same.path == path:
        what = "has the content that was loaded already; nothing was counted again"
    else:
        what = f"same content as {same.path}, which was loaded; nothing was counted again"
    return FileOutcome(job.file.path, "skipped", batch_id=batch_id, message=f"{path}: {what}")


def is_fatal(error: DBAPIError) -> bool:
    """Whether every later call of this process fails too, whatever the file: so it is after a full disk."""
    import duckdb

    return isinstance(error.orig, duckdb.FatalException | duckdb.InternalException)


@contextmanager
def scratch_folder(config: Config) -> Iterator[Path]:
    """A folder beside the store for working copies. Who holds the store holds it: a killed run's is removed."""
    folder = Path(f"{config.store_path}.scratch")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
