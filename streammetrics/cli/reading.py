"""What a job reads: records of files and databases into the store, and a message about each."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from streammetrics.cli.clocks import EARLIEST
from streammetrics.cli.session import Session
from streammetrics.config import Config
from streammetrics.errors import ConfigError, InputOutputError
from streammetrics.report import warnings
from streammetrics.runtime import terminal
from streammetrics.sources.discovery import UNCONFIGURED, matching
from streammetrics.store.statements import run

if TYPE_CHECKING:
    from streammetrics.ingest.outcome import FileOutcome


def read(session: Session, connection: Connection, paths: Iterable[Path], source: str | None, is_final: bool) -> int:
    """Read new records, if the clock can be trusted.

    Raises:
        InputOutputError: the clock was never set, and the store has no time to compare it with.
        ConfigError: a path to read contains the store itself.
    """
    if session.clock() < EARLIEST:
        raise InputOutputError(
            f"the clock shows {terminal.moment(session.clock())}: set it; nothing was read, because every record would "
            "seem to be in the future"
        )
    code, files, clock = 0, list(paths), session.clock
    _require_apart(session.config, files)
    batches: list[int] = []
    with_rejects: list[int] = []
    with session.progress.task("reading") as advance:
        outcomes: Iterator[FileOutcome]
        if session.config.engine.kind == "spark" and not files:
            from streammetrics.ingest import cluster

            outcomes = cluster.ingest(connection, session.config, source, clock, advance)
        else:
            from streammetrics.ingest.files import ingest

            outcomes = ingest(connection, session.config, files, source, clock, advance, is_final=is_final)
        if not files and any(found.url is not None for found in session.config.source):
            from streammetrics.ingest import databases

            outcomes = chain(outcomes, databases.ingest(connection, session.config, source, clock, advance))
        for outcome in outcomes:
            _tell_outcome(session, outcome)
            if outcome.waiting_bytes:
                line, awaited = outcome.open_quote_line, "their line's end"
                if line is not None:
                    awaited = f"the end of the quote that line {line:,} opens"
                session.say(
                    f"{outcome.path}: {outcome.waiting_bytes:,} bytes wait for {awaited} (or --final)",
                    "ingest.waiting",
                    is_routine=True,
                    waiting_bytes=outcome.waiting_bytes,
                    open_quote_line=line,
                )
            if outcome.batch_id is not None:
                batches.append(outcome.batch_id)
            if outcome.error is not None:
                code = code or outcome.error.exit_code
            elif outcome.rejected and outcome.batch_id is not None:
                with_rejects.append(outcome.batch_id)
    if with_rejects:
        _hint_at_time_format(session, connection, with_rejects)
    if batches:
        _hint_at_timezone(session, connection, min(batches))
    return code


def _require_apart(config: Config, named: list[Path]) -> None:
    """Opening the store as an input would lose its lock, and `after = "delete"` would remove it."""
    store = config.store_path.resolve()
    for path in named or [Path(source.path) for source in config.source if source.path is not None]:
        place = path if named else config.resolve(str(path))
        folder = next((part for part in place.parents if not any(sign in str(part) for sign in "*?[")), place)
        if not store.is_relative_to(folder.resolve()):
            continue
        # Errors of a path are reported when it is read.
        with suppress(InputOutputError):
            if any(match.resolve() == store for match in matching(path, None if named else config)):
                raise ConfigError(
                    f"{place}: holds the store itself, {config.store_path}: nothing was read; narrow the path, or put "
                    "the store elsewhere"
                )


def _hint_at_timezone(session: Session, connection: Connection, first_batch: int) -> None:
    """Report files, from a batch on, of which many records are ahead of the clock, but not all: those were reported."""
    settings = {found.name: found for found in (UNCONFIGURED, *session.config.source)}
    with connection.begin():
        found = warnings.ahead(connection, after_batch=first_batch - 1)
    for row in found:
        if not row.is_whole and row.source in settings:
            session.say(
                f"{row.path}: its newest records are ahead of the clock, by up to {timedelta(seconds=row.most_ahead)} "
                f"(h:mm:ss): is timezone = {settings[row.source].timezone!r} of [[source]] {row.source!r} wrong? "
                f"`streammetrics unload {row.batch_id}`, correct it, and they are read again",
                "ingest.ahead",
                logging.WARNING,
                path=row.path,
                batch_id=row.batch_id,
            )


def _hint_at_time_format(session: Session, connection: Connection, batches: list[int]) -> None:
    """Name `time_format`, once per source, if some times of a file have another form than the others."""
    settable = {found.name for found in session.config.source if found.url is None} or {UNCONFIGURED.name}
    with connection.begin():
        found = run(connection, "reports/unread_times", {"batches": batches}).all()
    for source, times, path, line in found:
        if source in settable:
            session.say(
                f"[[source]] {source!r}: {terminal.counted(times, 'time')} in an unknown form, the first "
                f"in line {line} of {path}; if all times of the source are written like that, set its time_format, "
                'such as time_format = "%d.%m.%Y %H:%M:%S"; `streammetrics unload` has the file read again',
                "ingest.time_format",
                logging.WARNING,
                source=source,
                times=times,
            )


def _tell_outcome(session: Session, outcome: "FileOutcome") -> None:
    if not outcome.message and outcome.state != "loaded":
        return
    level = logging.ERROR if outcome.error else logging.WARNING if outcome.message else logging.INFO
    figures = {"path": str(outcome.path), "records": outcome.records, "rejected": outcome.rejected}
    words = outcome.message or f"{outcome.path}: {terminal.counted(outcome.records, 'record')}"
    session.say(words, f"ingest.{outcome.state}", level, not outcome.message, **figures, batch_id=outcome.batch_id)
