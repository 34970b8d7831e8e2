"""Starts a command at each tick of the schedule, in a process of its own, until SIGTERM or SIGINT.

There is no job store: the schedule is in config.toml, and the next run reads what a missed run would have read.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Event
from types import FrameType

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger
from cronsim import CronSim

from streammetrics.config import Config, ScheduleSettings
from streammetrics.runtime import logs

GRACE_SECONDS = 10.0
"""How long a job may take to end by itself after SIGTERM."""

_POLL_SECONDS = 0.05
_WAKE_SECONDS = 0.5
_CLOCK_BACK_SECONDS = 2.0


def serve(config: Config, command: Sequence[str], grace_seconds: float = GRACE_SECONDS) -> int:
    """Start `command` as `[schedule]` says, until this process gets SIGTERM or SIGINT; from the main thread only.

    A tick during a running job is skipped. A signal is passed on to a running job as SIGTERM, and
    `grace_seconds` later as SIGKILL.

    Returns:
        The exit code, 0: how the jobs ended is reported on stderr, and their own outputs pass through.
    """
    settings, clock = config.schedule, trigger(config.schedule)
    ticks = f"every {settings.every_seconds} s" if settings.cron is None else f"cron {settings.cron!r} in UTC"
    runner = _Runner(command, settings.timeout_seconds, grace_seconds)
    # Skipped ticks are reported with the run that caused them, not one by one.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    # The default grace of one second would drop a late run silently.
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults)
    scheduler.add_listener(runner.leave_out, EVENT_JOB_MAX_INSTANCES)
    first = {"next_run_time": datetime.now(UTC)} if settings.cron is None else {}
    job = scheduler.add_job(runner, clock, **first)

    def run_now() -> None:
        _say("the clock went back: a run starts now, the next one at its time by the new clock", "schedule.clock")
        job.modify(next_run_time=datetime.now(UTC))

    with _signals() as received:
        scheduler.start()
        _say(f"schedule started, {ticks}", "schedule.started")
        _say(f"schedule ends: {_first(received, run_now)}", "schedule.ended")
        runner.stopping.set()
        scheduler.shutdown(wait=True)
    return 0


def trigger(settings: ScheduleSettings) -> BaseTrigger:
    """The ticks of the settings, in UTC."""
    if settings.cron is None:
        return IntervalTrigger(seconds=settings.every_seconds, timezone=UTC)
    return _Cron(settings.cron)


class _Cron(BaseTrigger):  # type: ignore[misc]
    """Ticks by cron's rules: if day and weekday are both given, one of them is enough."""

    def __init__(self, expression: str) -> None:
        self._expression = expression

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        return next(CronSim(self._expression, previous or now), None)


@dataclass
class _Runner:
    """Runs one job at a time: starts it, enforces its time limit and reports its end; in the scheduler's thread."""

    command: Sequence[str]
    timeout_seconds: float
    grace_seconds: float
    stopping: Event = field(default_factory=Event)
    left_out: int = 0

    def leave_out(self, event: JobSubmissionEvent) -> None:
        self.left_out += 1

    def __call__(self) -> None:
        if self.stopping.is_set():
            return
        self.left_out = 0
        started = time.monotonic()
        try:
            # A session of its own, so that Ctrl-C reaches it once, through us.
            process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        except OSError as error:
            _say(f"run cannot be started: {error}", "run.failed", logging.ERROR)
            return
        _say(f"run started: pid {process.pid}", "run.started", pid=process.pid)
        reason = self._wait(process, started + self.timeout_seconds)
        took = time.monotonic() - started
        code = process.returncode
        status = f"exit code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
        late = f"; {self.left_out} starts skipped meanwhile" if self.left_out else ""
        _say(
            f"run ended: pid {process.pid}, {status}, {took:.1f} s{reason}{late}",
            "run.ended",
            logging.WARNING if code else logging.INFO,
            pid=process.pid,
            exit_code=code,
            seconds=round(took, 1),
        )

    def _wait(self, process: subprocess.Popen[bytes], deadline: float) -> str:
        while process.poll() is None:
            if self.stopping.wait(_POLL_SECONDS):
                self._end(process)
                return "; ended with the schedule"
            if time.monotonic() >= deadline:
                self._end(process)
                return f"; over its time limit of {self.timeout_seconds:g} s"
        return ""

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _signal_group(process, signal.SIGTERM)
        try:
            process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The job leads a process group; macOS fails with EPERM if it has ended and was not waited for yet.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@contextmanager
def _signals() -> Iterator["SimpleQueue[str]"]:
    """A queue of the names of received SIGTERM and SIGINT; the old handlers are restored afterwards."""
    # A handler may interrupt any call; of the queues and events, only SimpleQueue.put is safe in it.
    received: SimpleQueue[str] = SimpleQueue()

    def take(number: int, _frame: FrameType | None) -> None:
        received.put(signal.Signals(number).name)

    former = {number: signal.signal(number, take) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _first(received: "SimpleQueue[str]", on_clock_back: Callable[[], None]) -> str:
    """Wait for the first signal. A signal just before a wait is handled only after it, so the waits are short.

    Ticks follow the clock: if it goes back an hour, no run would start for an hour.
    """
    ahead = time.time() - time.monotonic()
    while True:
        with suppress(Empty):
            return received.get(timeout=_WAKE_SECONDS)
        before, ahead = ahead, time.time() - time.monotonic()
        if ahead < before - _CLOCK_BACK_SECONDS:
            on_clock_back()


def _say(words: str, name: str, level: int = logging.INFO, **fields: object) -> None:
    """Log an event. In the style `words` the time is added, which JSON has anyway."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} " if logs.style() == "words" else ""
    logs.write(logs.Event(now + words, name, level, fields=fields))
