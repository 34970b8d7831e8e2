"""Loads files: each adds its records, derived rows and a row in the ledger, or nothing.

What the ledger has is not read again, and content that was read under another name is not counted again. A file that
fails does not stop the others.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.config import Config, Source
from streammetrics.errors import DamagedInputError, StreammetricsError, UsageError
from streammetrics.ingest.loading import Loader
from streammetrics.ingest.outcome import FileOutcome, failed
from streammetrics.sources import discovery, disposal, ledger
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.ledger import Refusals
from streammetrics.sources.rotation import Rotation
from streammetrics.sources.snapshot import SMALL_BYTES
from streammetrics.store import same_file

Clock = Callable[[], datetime]
OnProgress = Callable[[float, float], None]

TOGETHER_FILES = 10_000
"""Up to this many small files are one transaction: a spool folder may have thousands."""


def ingest(
    connection: Connection,
    config: Config,
    paths: Sequence[Path],
    source: str | None,
    clock: Clock,
    on_progress: OnProgress = lambda done, total: None,
    *,
    is_final: bool = False,
) -> Iterator[FileOutcome]:
    """Load what is new in `paths`, or without paths in the configured sources; `source` selects one of them.

    Args:
        connection: of the store at `config.store_path`, held for writing, with no transaction begun.
        clock: gives the time now, naive UTC.
        on_progress: gets the bytes done and the bytes to do.
        is_final: the input is complete, so a last line without a line end is read.

    Yields:
        An outcome per file, one per glob that matched nothing (except for an empty spool), and one per content that
        may not have been read to its end. A file that fails does not stop the others.

    Raises:
        UsageError: the source is unknown, or must be named.
        InputOutputError: the store itself failed, as on a full disk; nothing more can be loaded by this process.
    """
    found: dict[Path, SourceFile] = {}
    refusals = Refusals(connection, config, clock)
    for chosen, path in wanted(config, paths, source):
        try:
            matches = discovery.matching(path, None if paths else config)
            place = path if paths else config.resolve(str(path))
        except StreammetricsError as error:
            yield failed(path, error)
            continue
        # A spool is often empty, and cron would mail a message each minute.
        is_empty_spool = chosen.after != "keep" and not paths and place.parent.is_dir()
        if not matches and not is_empty_spool:
            yield FileOutcome(place, "skipped", message=discovery.unmatched(chosen, place))
        for match, base in matches.items():
            try:
                is_final_here = is_final or bool(paths)
                file = discovery.describe(chosen, match, base, is_final=is_final_here, is_spooled=not paths)
                found.setdefault(match, file)
            except StreammetricsError as error:
                # For configured sources `status` and `doctor` check this themselves.
                refused = Path(discovery.shown(match))
                if paths:
                    refusals.refuse(refused, chosen, str(error))
                yield failed(refused, error)
    known = ledger.known(connection, config, found.values())
    for path, is_done in known.items():
        outcome = FileOutcome(path, "skipped", is_done=is_done)
        yield _settled(connection, config, refusals, found[path], outcome)
    waiting = [file for file in found.values() if file.path not in known]
    if not waiting:
        return
    total, done = sum(file.size for file in waiting), 0
    rotation = Rotation()
    on_progress(done, total)
    with scratch_folder(config) as scratch:
        loader = Loader(connection, config, clock, scratch, rotation)
        for together in _together(waiting):
            for outcome in loader.load(together):
                yield _settled(connection, config, refusals, found[outcome.path], outcome)
            done += sum(file.size for file in together)
            on_progress(done, total)
    for path, what in rotation.missed(connection):
        yield FileOutcome(path, "replaced", message=f"{path}: {what}")


def _together(waiting: Sequence[SourceFile]) -> Iterator[list[SourceFile]]:
    """Groups of small files of one source and day; larger files alone."""

    def kind(file: SourceFile) -> tuple[object, ...]:
        is_alone = not file.is_text or file.size > SMALL_BYTES
        return (file.path,) if is_alone else (file.source.name, file.day())

    for _, group in groupby(waiting, kind):
        alike = list(group)
        for first in range(0, len(alike), TOGETHER_FILES):
            yield alike[first : first + TOGETHER_FILES]


def _settled(
    connection: Connection, config: Config, refusals: Refusals, file: SourceFile, outcome: FileOutcome
) -> FileOutcome:
    """Move or delete a file that is committed completely, if its source says so; a failure is retried by the next run.

    Errors are recorded in `refused`, unless the commit recorded them already.

    Raises:
        ReplacedStoreError: the store's file was replaced, so the commit is lost.
    """
    if outcome.is_done:
        same_file.require(connection)
        try:
            disposal.dispose(config, file)
        except StreammetricsError as error:
            outcome = failed(file.path, error)
    if outcome.error is not None and not isinstance(outcome.error, DamagedInputError):
        refusals.refuse(file.path, file.source, str(outcome.error))
    elif outcome.error is None and (outcome.is_done or outcome.state == "loaded"):
        refusals.settle(file.path)
    return outcome


def wanted(config: Config, paths: Sequence[Path], name: str | None) -> list[tuple[Source, Path]]:
    """The requested paths and globs, as written, each with the source whose settings apply."""
    sources = {source.name: source for source in config.source}
    known = ", ".join(sources) or "none"
    if name is not None and name not in sources:
        raise UsageError(f"--source {name}: there is no such [[source]]; configured are: {known}")
    if not paths:
        if not sources:
            raise UsageError("there is nothing to read: name files, or configure a [[source]] with their path")
        chosen = [sources[name]] if name is not None else list(config.source)
        return [(source, Path(source.path)) for source in chosen if source.path is not None]
    if name is None and len(sources) > 1:
        raise UsageError(f"several [[source]] are configured: choose with --source whose settings apply: {known}")
    default = config.source[0] if config.source else discovery.UNCONFIGURED
    return [(sources[name] if name is not None else default, path) for path in paths]


@contextmanager
def scratch_folder(config: Config) -> Iterator[Path]:
    """A folder beside the store for working copies. Only the holder of the store uses it; leftovers are removed."""
    folder = Path(f"{config.store_path}.scratch")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
