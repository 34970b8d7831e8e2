"""The schedule as a real process, with small commands in place of `run`."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streammetrics import config
from streammetrics.cli.schedule import trigger
from streammetrics.config import ScheduleSettings
from streammetrics.errors import ConfigError

SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SERVE = """
import sys
from streammetrics.config import Config, ScheduleSettings
from streammetrics.cli.schedule import serve
every, limit, grace, *command = sys.argv[1:]
settings = ScheduleSettings(every_seconds=int(every), timeout_seconds=int(limit))
sys.exit(serve(Config(schedule=settings), command, float(grace)))
"""
CLOCK_GOES_BACK = """
import time
real, begin = time.time, time.monotonic()
time.time = lambda: real() - (3600 if time.monotonic() > begin + 2 else 0)
"""
# The alarm ends it where the schedule fails to.
WAIT_FOREVER = "import signal; signal.alarm(20); print('ready', flush=True); signal.pause()"
IGNORE_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT_FOREVER
END_WITH_3 = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); " + WAIT_FOREVER


@contextmanager
def serving(
    job: list[str],
    every_seconds: int = 3600,
    timeout_seconds: int = 3600,
    grace_seconds: float = 10,
    prelude: str = "",
) -> Iterator["subprocess.Popen[str]"]:
    """A schedule that starts `job`, in a process that is gone afterwards, whatever the test found."""
    figures = [str(every_seconds), str(timeout_seconds), str(grace_seconds)]
    with subprocess.Popen(
        [sys.executable, "-c", prelude + SERVE, *figures, *job],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def python(code: str, *arguments: str) -> list[str]:
    """A job that stands within milliseconds."""
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


def lines_until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """The lines of stderr up to the next one with `words` in it; the schedule's own without their times."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", "", line.rstrip("\n")))
        if words in line:
            return lines
    raise AssertionError(f"the schedule ended without saying {words!r}: {lines}")


def messages(process: "subprocess.Popen[str]", words: str) -> str:
    return lines_until(process, words)[-1]


def pid_of(words: str) -> int:
    return int(words.split("pid ")[1].split(",")[0])


def end(process: "subprocess.Popen[str]", number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=8)
    return process.returncode, out, err


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_first_run_is_at_once_and_its_outputs_pass_through() -> None:
    with serving(python("import sys; print('data'); print('words', file=sys.stderr); sys.exit(7)")) as process:
        lines = lines_until(process, "run ended")
        code, out, err = end(process)
    # The job may speak before it is announced.
    pid = pid_of(lines[-1])
    assert sorted(lines[:-1]) == [f"run started: pid {pid}", "schedule started, every 3600 s", "words"]
    assert re.fullmatch(rf"run ended: pid {pid}, exit code 7, \d+\.\d s", lines[-1])
    assert (code, out) == (0, "data\n")
    assert re.fullmatch(r"\S+Z schedule ends: SIGTERM\n", err)


@pytest.mark.slow
def test_a_clock_that_goes_back_an_hour_costs_no_hour() -> None:
    with serving(python("print('once more', flush=True)"), prelude=CLOCK_GOES_BACK) as process:
        messages(process, "run ended")
        messages(process, "the clock went back")
        messages(process, "run started")
        messages(process, "run ended")
        end(process)


@pytest.mark.slow
def test_runs_do_not_overlap(tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = (
        "import os, sys, time\n"
        "write = lambda word: os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT), word)\n"
        "write(b'in '); time.sleep(1.5); write(b'out ')"
    )
    with serving(python(job, str(log)), every_seconds=1) as process:
        first = messages(process, "run ended")
        messages(process, "run ended")
        assert log.read_text().startswith("in out in out ")
        assert end(process)[0] == 0
    assert re.search(r"; [1-9] starts skipped meanwhile$", first)


@pytest.mark.slow
@pytest.mark.parametrize(("job", "status"), [(WAIT_FOREVER, "ended by SIGTERM"), (IGNORE_SIGTERM, "ended by SIGKILL")])
def test_time_limit_ends_a_job(job: str, status: str) -> None:
    with serving(python(job), timeout_seconds=1, grace_seconds=0.2) as process:
        ended = messages(process, "run ended")
        assert not is_running(pid_of(ended))
        assert end(process)[0] == 0
    assert re.fullmatch(rf"run ended: pid \d+, {status}, \d+\.\d s; over its time limit of 1 s", ended)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "job", "grace_seconds", "status"),
    [
        (signal.SIGTERM, WAIT_FOREVER, 10, "ended by SIGTERM"),
        (signal.SIGINT, WAIT_FOREVER, 10, "ended by SIGTERM"),
        (signal.SIGTERM, END_WITH_3, 10, "exit code 3"),
        (signal.SIGTERM, IGNORE_SIGTERM, 0.2, "ended by SIGKILL"),
    ],
)
def test_signal_while_a_job_runs(number: signal.Signals, job: str, grace_seconds: float, status: str) -> None:
    with serving(python(job), grace_seconds=grace_seconds) as process:
        pid = pid_of(messages(process, "run started"))
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        code, _, err = end(process, number)
    assert code == 0
    assert not is_running(pid)
    assert f"schedule ends: {number.name}\n" in err
    assert re.search(rf"run ended: pid {pid}, {status}, \d+\.\d s; ended with the schedule\n$", err)


def test_command_that_cannot_be_started_is_reported() -> None:
    with serving(["/nowhere/streammetrics"]) as process:
        words = messages(process, "cannot be started")
        assert end(process)[0] == 0
    assert words == "run cannot be started: [Errno 2] No such file or directory: '/nowhere/streammetrics'"


@pytest.mark.parametrize(
    ("expression", "next_times"),
    [
        ("*/5 * * * *", ["11-21 12:05", "11-21 12:10"]),
        ("30 6 * * 1-5", ["11-23 06:30", "11-24 06:30"]),
        ("0 6 * * 0", ["11-22 06:00", "11-29 06:00"]),
        ("0 6 * * 7", ["11-22 06:00", "11-29 06:00"]),
        ("0 6 * * 6-7", ["11-22 06:00", "11-28 06:00"]),
        ("0 6 * * */3", ["11-22 06:00", "11-25 06:00"]),
        ("0 6 * * mon,4", ["11-23 06:00", "11-26 06:00"]),
        ("0 6 25 * *", ["11-25 06:00", "12-25 06:00"]),
        ("0 6 25 * thu", ["11-25 06:00", "11-26 06:00"]),
    ],
)
def test_cron_times(expression: str, next_times: list[str]) -> None:
    clock = trigger(ScheduleSettings(cron=expression))
    first = clock.get_next_fire_time(None, SATURDAY)
    second = clock.get_next_fire_time(first, first)
    assert [f"{time:%m-%d %H:%M}" for time in (first, second)] == next_times
    assert first.tzinfo == UTC


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("*/5 * * *", "has 4 fields, not 5"),
        ("@daily", "has 1 fields, not 5"),
        ("0 61 * * * *", "has 6 fields, not 5"),
        ("61 * * * *", "Bad minute"),
        ("0 6 * * 8", "Bad day-of-week"),
        ("0 6 * * mon-xyz", "Bad day-of-week"),
        ("0 6 * * sat-sun", "Bad day-of-week"),
        ("0 6 31 2 *", "Bad day-of-month"),
    ],
)
def test_bad_cron_is_named(expression: str, what: str, tmp_path: Path) -> None:
    (path := tmp_path / "config.toml").write_text(f'[schedule]\ncron = "{expression}"\n')
    with pytest.raises(ConfigError) as caught:
        config.load(path, {})
    assert str(caught.value) == (
        f"{path}: schedule.cron = {expression!r}: {what[0].lower()}{what[1:]}; "
        "expected minute, hour, day, month and weekday, in UTC, such as '*/5 * * * *'"
    )


def test_the_longest_time_between_starts() -> None:
    assert ScheduleSettings(every_seconds=30).interval_seconds(SATURDAY) == 30
    assert ScheduleSettings(cron="0,10 * * * *").interval_seconds(SATURDAY) == 50 * 60
