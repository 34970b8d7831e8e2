"""What a command does, end to end. Data go to `out` (stdout), words to `say` (stderr); the result is an exit code."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.cli import clocks
from streammetrics.cli.reading import read
from streammetrics.cli.session import Session
from streammetrics.config import RetentionSettings
from streammetrics.detect import incidents, new_codes, passes, watermarks
from streammetrics.detect.passes import Pass
from streammetrics.errors import (
    EXIT_OPEN_INCIDENTS,
    ConfigError,
    InputOutputError,
    StoreBusyError,
    UsageError,
)
from streammetrics.report import notices, status, warnings, wording
from streammetrics.runtime import process, terminal
from streammetrics.sources import exposure
from streammetrics.store import retention, views

if TYPE_CHECKING:
    from streammetrics.simulate.generate import Scenario


def ingest(session: Session, paths: Iterable[Path] = (), source: str | None = None, *, is_final: bool = False) -> int:
    """Read what is new. Files that fail are reported and do not stop the others; the first failure decides the code."""
    with session.store.write() as connection:
        session = clocks.believed(session, connection, paths := list(paths))
        return read(session, connection, paths, source, is_final)


def detect_once(session: Session, *, is_final: bool, every: bool, exit_code: bool) -> int:
    """One pass, and the first alert of each new incident (`every`: all new alerts) as lines of text or JSON."""
    with session.store.write() as connection:
        session = clocks.believed(session, connection)
        done = judge(session, connection, is_final=is_final)
        with connection.begin():
            found = incidents.alerts_of(connection, done.run_ids, every=every)
            count = incidents.open_incidents(connection)
        span = None if done.after is None or done.until is None else (done.after, done.until)
        code = _advise(session, connection, span, every=bool(found))
        # What it takes as long as a pass to find out is worth that where it is read.
        is_read = bool(found) or session.progress.shows_routine
        young = status.reaches(connection, status.comparisons(connection)) if is_read else []
    amendment = done.amendment
    lines = (
        map(terminal.as_json, found)
        if session.as_json
        else wording.first_lines(
            [(alert["code"], wording.alert_line(alert)) for alert in found],
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
    return code or (EXIT_OPEN_INCIDENTS if exit_code and count else 0)


def run(
    session: Session, paths: Iterable[Path] = (), source: str | None = None, *, is_final: bool, exit_code: bool
) -> int:
    """Ingest, judge, tell what changed, draw. Made for cron: silent where nothing opened, got worse or ended."""
    with session.store.write() as connection:
        session = clocks.believed(session, connection, paths := list(paths))
        code = read(session, connection, paths, source, is_final)
        is_changed, unread = _judge_and_keep(session, connection, is_final)
        unprinted = _print_notices(session, connection)
        code = code or unread or unprinted
        count = incidents.open_incidents(connection) if exit_code else 0
    _prune(session)
    if is_changed:
        # A picture comes last and fails alone: it never delays what people have to hear.
        undrawn = _draw(session)
        code = code or undrawn
    return code or (EXIT_OPEN_INCIDENTS if count else 0)


def generate(session: Session, target: Path, scenario: "Scenario") -> None:
    """Write a labelled stream to `target`, the truth beside it, and print both paths."""
    from streammetrics.simulate import generate as streams

    with session.progress.task("generating"):
        try:
            stream = streams.generate(scenario)
            streams.write(stream, target)
        except OverflowError:
            raise UsageError("the stream would end after the year 9999") from None
    words = f"{terminal.counted(len(stream.ts), 'record')}; what is true of them is in the .truth.json file"
    session.say(words, "generate.written")
    session.out(str(target))
    session.out(str(streams.truth_path(target)))


def _judge_and_keep(session: Session, connection: Connection, is_final: bool) -> tuple[bool, int]:
    """A pass, and what it changed as notices; whether anything waited to be judged, and the exit code of `_advise`."""
    with connection.begin():
        waiting = passes.plan(connection, session.config, is_final=is_final)
        reach = None
        if waiting is not None or watermarks.supersedes(connection):
            reach = incidents.reach(connection, waiting[0] if waiting else views.LAST_SECOND)
            incidents.snapshot(connection, "incidents_before", reach)
        new_codes.mark(connection)
    try:
        with _judging(session, connection) as advance:
            arguments = (connection, session.config, session.clock, waiting)
            done = passes.judge_planned(*arguments, is_final=is_final, on_portion=advance)
    except BaseException:
        # The portions before the one that failed, or was ended, are stored, and the next run would not report them.
        with suppress(DBAPIError):
            _keep(session, connection, reach)
            _print_notices(session, connection)
        raise
    is_opened = _keep(session, connection, reach)
    code = _advise(session, connection, waiting, every=is_opened)
    counts = asdict(done.amendment)
    words = "alerts: " + ", ".join(f"{count:,} {what}" for what, count in counts.items())
    session.say(words, "detect.done", is_routine=True, **counts, run_ids=done.run_ids)
    return waiting is not None, code


def _keep(session: Session, connection: Connection, reach: int | None) -> bool:
    """Keep what a pass has changed behind `reach` (epoch second), and new codes; whether an incident was opened."""
    changed: list[incidents.Change] = []
    with connection.begin():
        if reach is not None:
            incidents.snapshot(connection, "incidents_after", reach)
            changed = incidents.changes(connection, reach)
        notices.keep(connection, changed, new_codes.since_mark(connection), session.clock())
    return any(one.change in ("opened", "reopened") for one in changed)


def _print_notices(session: Session, connection: Connection) -> int:
    """Print what no run could write yet; the exit code where this one cannot, either."""
    with connection.begin():
        found = notices.waiting(connection)
    try:
        for line in notices.lines(found, as_json=session.as_json):
            session.out(line)
    except OSError as error:
        words = f"stdout: {error.strerror}; what changed is printed by the next run"
        session.say(words, "notices.kept", logging.ERROR, notices=len(found))
        process.forget_stdout()
        return InputOutputError.exit_code
    if found:
        with connection.begin():
            notices.taken(connection, found, session.clock())
    return 0


def _advise(session: Session, connection: Connection, judged: tuple[int, int] | None, *, every: bool) -> int:
    """Say what a person has to act on when that begins, and `every` thing beside an incident that it may explain.

    Which files of exposure cannot be read is reported by every run, and decides the exit code.
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
    """Find out what waits and judge it: one pass."""
    with _judging(session, connection) as advance:
        return passes.judge(connection, session.config, session.clock, is_final=is_final, on_portion=advance)


@contextmanager
def _judging(session: Session, connection: Connection) -> Iterator[Callable[[float, float], None]]:
    """The progress of one pass; one that fails is recorded in `runs`."""
    started_at = session.clock()
    try:
        with session.progress.task("judging") as advance:
            yield advance
    except Exception as error:
        _record_failure(session, connection, started_at, error)
        raise


def _record_failure(session: Session, connection: Connection, started_at: datetime, error: Exception) -> None:
    """Tell `runs`, where the store still takes it: after a full disk every call of this process fails."""
    try:
        passes.record_failure(connection, started_at, session.clock(), f"{type(error).__name__}: {error}"[:500])
    except DBAPIError as second:
        words = f"the failed pass could not be recorded in runs: {str(second.orig)[:200]}"
        session.say(words, "detect.unrecorded", logging.ERROR)


def _prune(session: Session) -> None:
    """Remove what was kept for long enough, a day at a time; others may have the store in between, and come first."""
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


def _draw(session: Session) -> int:
    from streammetrics.cli import outputs

    return outputs.draw(session)
