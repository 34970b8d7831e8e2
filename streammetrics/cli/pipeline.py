"""What a command does, end to end. Data go to stdout (`out`), messages to stderr (`say`); returns an exit code."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.cli import clocks, notifying, outputs
from streammetrics.cli.reading import read
from streammetrics.cli.session import Session
from streammetrics.config import RetentionSettings
from streammetrics.detect import incidents, new_codes, passes, watermarks
from streammetrics.detect.passes import Pass
from streammetrics.errors import (
    EXIT_OPEN_INCIDENTS,
    ConfigError,
    StoreBusyError,
    UsageError,
)
from streammetrics.report import status, warnings, wording
from streammetrics.runtime import terminal
from streammetrics.sources import exposure
from streammetrics.store import retention, views

if TYPE_CHECKING:
    from streammetrics.simulate.generate import Scenario


def ingest(session: Session, paths: Iterable[Path] = (), source: str | None = None, *, is_final: bool = False) -> int:
    """Read new records. A file that fails is reported and does not stop the others; the first failure sets the code."""
    with (
        notifying.sending(session),
        session.store.write() as connection,
        notifying.job(session, connection, "ingest") as job,
    ):
        session = clocks.believed(session, connection, paths := list(paths))
        job.code = read(session, connection, paths, source, is_final)
    return job.code


def detect_once(session: Session, *, is_final: bool, every: bool, exit_code: bool) -> int:
    """One pass, and the first alert of each new incident (`every`: all new alerts) as lines of text or JSON."""
    with notifying.sending(session), session.store.write() as connection:
        with notifying.job(session, connection, "detect") as job:
            session = clocks.believed(session, connection)
            done, job.code = _judge_and_keep(session, connection, is_final, is_printed=False)
        with connection.begin():
            found = incidents.alerts_of(connection, done.run_ids, every=every)
            count = incidents.open_incidents(connection)
        # This takes as long as a pass, so it is done only if somebody reads it.
        is_read = bool(found) or session.progress.shows_routine
        young = status.reaches(connection, status.comparisons(connection)) if is_read else []
    amendment = done.amendment
    lines = (
        map(terminal.as_json, found)
        if session.as_json
        else wording.first_lines(
            [(alert.code, wording.alert_line(alert)) for alert in found],
            "incident",
            None if every else wording.MOST_LINES,
        )
    )
    for line in lines:
        session.out(line)
    session.say(
        f"{terminal.counted(amendment.new, 'new alert')}, {amendment.revised:,} revised, "
        f"{amendment.retracted:,} retracted; {terminal.counted(count, 'incident')} open",
        *("detect.done", logging.INFO, not found),
        **asdict(amendment),
        open_incidents=count,
        run_ids=done.run_ids,
    )
    for line in status.young_lines(young):
        session.say(line)
    _prune(session)
    return job.code or (EXIT_OPEN_INCIDENTS if exit_code and count else 0)


def run(
    session: Session, paths: Iterable[Path] = (), source: str | None = None, *, is_final: bool, exit_code: bool
) -> int:
    """Ingest, judge, report what changed, draw. Made for cron: prints nothing if nothing opened, got worse or ended."""
    with notifying.sending(session), session.store.write() as connection:
        try:
            with notifying.job(session, connection, "run", is_printed=True) as job:
                session = clocks.believed(session, connection, paths := list(paths))
                code = read(session, connection, paths, source, is_final)
                done, unread = _judge_and_keep(session, connection, is_final, is_printed=True)
                job.code = code or unread
        except BaseException:
            with suppress(DBAPIError):
                notifying.print_waiting(session, connection)
            raise
        unprinted = notifying.print_waiting(session, connection)
        figures = outputs.figures(session, connection)
        count = incidents.open_incidents(connection) if exit_code else 0
    _prune(session)
    unwritten = outputs.write(session, figures, is_judged=done.until is not None)
    return job.code or unprinted or unwritten or (EXIT_OPEN_INCIDENTS if count else 0)


def generate(session: Session, target: Path, scenario: "Scenario") -> None:
    """Write a labelled stream to `target`, the truth beside it, and print both paths."""
    from streammetrics.simulate import generate as streams

    with session.progress.task("generating"):
        try:
            stream = streams.generate(scenario)
            streams.write(stream, target)
        except OverflowError:
            raise UsageError("the stream would end after the year 9999") from None
    words = f"{terminal.counted(len(stream.ts), 'record')}; the known increases are in the .truth.json file"
    session.say(words, "generate.written")
    session.out(str(target))
    session.out(str(streams.truth_path(target)))


def _judge_and_keep(session: Session, connection: Connection, is_final: bool, *, is_printed: bool) -> tuple[Pass, int]:
    """Run a pass, store its changes as notices (also for stdout if `is_printed`), and return the code of `_advise`."""
    with connection.begin():
        waiting = passes.plan(connection, session.config, is_final=is_final)
        is_touched = waiting is not None or watermarks.supersedes(connection)
        after = waiting[0] if waiting else views.LAST_SECOND
        incidents.mark(connection, incidents.reach(connection, after) if is_touched else None)
    try:
        with _judging(session, connection) as advance:
            arguments = (connection, session.config, session.clock, waiting)
            done = passes.judge_planned(*arguments, is_final=is_final, on_portion=advance)
    except BaseException:
        # Portions that were committed before a failure would not be reported by the next run.
        with suppress(DBAPIError):
            _keep(session, connection, is_printed)
        raise
    is_opened = _keep(session, connection, is_printed)
    code = _advise(session, connection, waiting, every=is_opened)
    if is_printed:
        counts = asdict(done.amendment)
        words = "alerts: " + ", ".join(f"{count:,} {what}" for what, count in counts.items())
        session.say(words, "detect.done", is_routine=True, **counts, run_ids=done.run_ids)
    return done, code


def _keep(session: Session, connection: Connection, is_printed: bool) -> bool:
    """Store what passes have changed, and new codes, as notices; returns whether an incident was opened."""
    with connection.begin():
        changed = incidents.changes(connection)
        found = new_codes.since_mark(connection)
        notifying.keep(session, connection, changed, found, is_printed=is_printed)
    return any(one.change in ("opened", "reopened") for one in changed)


def _advise(session: Session, connection: Connection, judged: tuple[int, int] | None, *, every: bool) -> int:
    """Print what a person has to act on, once when it begins; with `every`, all of it, as it may explain an incident.

    Exposure files that cannot be read are reported by every run, and set the exit code.
    """
    users = exposure.read(session.config)
    for text in users.unread:
        session.say(terminal.printable(text), "exposure.unread", logging.ERROR)
    with connection.begin():
        found = warnings.unreported(
            connection, session.clock(), judged, every=every, has_exposure=users.is_whole, problems=users.bad_lines
        )
    for text in found:
        session.say(terminal.printable(text), "advice", logging.WARNING)
    return ConfigError.exit_code if users.unread else 0


def judge(session: Session, connection: Connection, *, is_final: bool) -> Pass:
    """Run one pass: find and judge the bins that wait."""
    with _judging(session, connection) as advance:
        return passes.judge(connection, session.config, session.clock, is_final=is_final, on_portion=advance)


@contextmanager
def _judging(session: Session, connection: Connection) -> Iterator[Callable[[float, float], None]]:
    """Show the progress of one pass; a failed pass is recorded in `runs`."""
    started_at = session.clock()
    try:
        with session.progress.task("judging") as advance:
            yield advance
    except Exception as error:
        _record_failure(session, connection, started_at, error)
        raise


def _record_failure(session: Session, connection: Connection, started_at: datetime, error: Exception) -> None:
    """Record a failed pass in `runs` if possible: after a full disk every DuckDB call of this process fails."""
    try:
        passes.record_failure(connection, started_at, session.clock(), f"{type(error).__name__}: {error}"[:500])
    except DBAPIError as second:
        words = f"the failed pass could not be recorded in runs: {str(second.orig)[:200]}"
        session.say(words, "detect.unrecorded", logging.ERROR)


def _prune(session: Session) -> None:
    """Apply retention, one day at a time; other processes can use the store in between."""
    settings = session.config.retention
    if settings == RetentionSettings() or session.is_clock_doubted:
        return
    with suppress(StoreBusyError):
        while True:
            with session.store.write() as connection:
                step = retention.prune(connection, settings, session.clock())
            if step is None:
                return
            words = f"retention: {step.records:,} {step.relation} from before {step.before} removed"
            session.say(words, "retention.removed", is_routine=True, **asdict(step))
