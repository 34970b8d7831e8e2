"""What a job does about notices: stores what a pass changed, prints it, and sends it to the channels."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.cli.session import Session, exit_code_of
from streammetrics.detect.incidents import Change
from streammetrics.detect.new_codes import NewCodes
from streammetrics.errors import NO_FAILURES, InputOutputError, StoreBusyError, StreammetricsError, UsageError
from streammetrics.notify import delivery, lines, messages, outbox
from streammetrics.report import status
from streammetrics.runtime import process, suggestions
from streammetrics.runtime.terminal import moment
from streammetrics.store.statements import run

ALIVE_INTERVALS = 4
LEAST_ALIVE_SECONDS = 300.0
"""How long an alert stays active in Alertmanager if no further run sends it."""

FAILED_RUNS = 3
"""This many failed runs of a job in a row are reported."""


@dataclass
class Job:
    """A run of a job, and its exit code so far."""

    code: int = 0


@contextmanager
def job(session: Session, connection: Connection, name: str, *, is_printed: bool = False) -> Iterator[Job]:
    """Record how a run of a job ended, and which sources are silent and which jobs fail at that time."""
    found = Job()
    try:
        yield found
    except BaseException as error:
        # After a full disk every DuckDB call of this process fails.
        with suppress(DBAPIError):
            _end(session, connection, name, exit_code_of(error), is_printed, has_read=False)
        raise
    _end(session, connection, name, found.code, is_printed, has_read=name != "detect" and not session.is_clock_doubted)


def _end(session: Session, connection: Connection, name: str, code: int, is_printed: bool, *, has_read: bool) -> None:
    """`has_read`: all sources were read, so silent ones are known; otherwise the earlier state is kept."""
    if code == UsageError.exit_code:
        return
    now = session.clock()
    with connection.begin():
        run(connection, "jobs/end_job", {"job": name, "code": code, "is_failed": code not in NO_FAILURES, "now": now})
        named = {"channels": _channels(session, is_printed=True)}
        run(connection, "jobs/drop_notices", {**named, "now": now})
        run(connection, "jobs/forget_channels", named)
        current = {
            f"feed-{feed.source}": f"no record newer than {moment(feed.last_ts)} UTC"
            for feed in (status.feeds(connection, session.config, (), now) if has_read else ())
            if feed.is_silent
        }
        if not has_read:
            current.update((one.key, one.text) for one in outbox.conditions(connection) if one.key.startswith("feed-"))
        for failing in run(connection, "reports/failing_jobs", {"least": FAILED_RUNS}):
            current[f"job-{failing.job}"] = (
                f"{failing.failed_runs} runs in a row failed, the last with exit code {failing.exit_code}"
            )
        outbox.keep_conditions(connection, _channels(session, is_printed), current, now)


def keep(
    session: Session,
    connection: Connection,
    changed: Sequence[Change],
    found: Sequence[NewCodes],
    *,
    is_printed: bool,
) -> None:
    """Store what a pass changed for each channel, and if `is_printed` for stdout; in the caller's transaction."""
    outbox.keep(connection, session.config, _channels(session, is_printed), changed, found, _explain(), session.clock())


def _channels(session: Session, is_printed: bool) -> list[str]:
    names = [channel.name for channel in session.config.channel]
    return [outbox.STDOUT, *names] if is_printed else names


def print_waiting(session: Session, connection: Connection) -> int:
    """Print the notices that earlier runs could not print; returns the exit code, 74 if this run cannot either."""
    now = session.clock()
    with connection.begin():
        waiting = outbox.waiting(connection, outbox.STDOUT)
        due, dropped = messages.due_and_dropped(waiting, partial(delivery.is_held, session.config, now))
    try:
        for line in lines.of(due, as_json=session.as_json):
            session.out(line)
    except OSError as error:
        words = f"stdout: {error.strerror}; the next run prints what changed"
        session.say(words, "notices.kept", logging.ERROR, notices=len(due))
        process.forget_stdout()
        return InputOutputError.exit_code
    if waiting:
        with connection.begin():
            outbox.taken(connection, [one.notice_id for one in dropped], None, now)
            outbox.taken(connection, [one.notice_id for one in due], f"notice-{waiting[0].notice_id}", now)
    return 0


@contextmanager
def sending(session: Session) -> Iterator[None]:
    """Send waiting notices to the channels when a job ends, also when it fails, unless the store was busy."""
    try:
        yield
    except StoreBusyError:
        raise
    except Exception:
        deliver(session)
        raise
    deliver(session)


def deliver(session: Session) -> int:
    """Send waiting notices to the channels. Failures are reported; returns an exit code, which only `notify` uses."""
    if not session.config.channel:
        return 0
    code = 0
    try:
        for failure in _sender(session).deliver():
            session.say(failure, "notices.failed", logging.ERROR)
            code = InputOutputError.exit_code
    except (StreammetricsError, DBAPIError) as error:
        session.say(f"notices were not sent: {error}; the next run tries again", "notices.failed", logging.ERROR)
        return getattr(error, "exit_code", InputOutputError.exit_code)
    return code


def test(session: Session) -> int:
    """Send a test notice to each channel, and print which accepted it."""
    code = 0
    for channel, failure in _sender(session).test():
        session.out(f"{channel}: {failure or 'sent'}")
        code = InputOutputError.exit_code if failure else code
    return code


def _sender(session: Session) -> delivery.Sender:
    interval = session.config.schedule.interval_seconds(session.clock())
    alive = max(ALIVE_INTERVALS * interval, LEAST_ALIVE_SECONDS)
    return delivery.Sender(session.store, session.config, session.clock, _explain(), alive)


def _explain() -> str:
    """The beginning of an `explain` command, with the settings of this process."""
    return suggestions.command_anywhere("streammetrics explain")
