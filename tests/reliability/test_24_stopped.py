"""Promise: a command that is stopped while it waits (Ctrl-Z, SIGSTOP) keeps nobody out of a store that is free."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streammetrics.errors import StoreBusyError
from streammetrics.store.connection import Store
from streammetrics.store.turns import STILL_SECONDS
from tests.reliability import program
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

WAITERS = (["query", "select 1"], ["ingest"], ["status"], ["detect"], ["backup", "--to", "b.duckdb"])
PATIENT = {"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "300"}

SHELL = """
import sys, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def shell(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has the store open, as DuckDB's own shell has, and knows nothing of turns."""
    command = [sys.executable, "-c", SHELL, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def queued(path: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until somebody has a place in the queue."""
    queue = Path(f"{path}.queue")
    before = queue.stat().st_mtime_ns
    while queue.stat().st_mtime_ns == before:
        assert process.poll() is None
        time.sleep(0.01)


def test_those_who_wait_are_stopped(worked: Path, record_property: Callable[[str, object], None]) -> None:
    path, draw, longest = program.config(worked).store_path, random.Random(24), 0.0
    for turn in range(count(2, 40)):
        chosen = draw.sample(WAITERS, 2)
        with shell(path):
            waiting = [program.start(worked, *command, environment=PATIENT) for command in chosen]
            queued(path, waiting[0])
            time.sleep(draw.uniform(0, 1))
            for process in waiting:
                process.send_signal(signal.SIGSTOP)
        try:
            for opened in (Store(path, 20).write, Store(path, 20).read):
                requested = time.monotonic()
                with opened():
                    longest = max(longest, time.monotonic() - requested)
        finally:
            for process in waiting:
                process.send_signal(signal.SIGCONT)
        for process in waiting:
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0, (turn, process.args, err)
    assert program.findings(worked) == []
    # Less than their wait, after which they try without a place in the queue.
    assert longest < 15
    record_property("seen", f"{count(2, 40)} times two stopped, nobody waited longer than {longest:.1f} s")


def test_who_is_inside_is_named_not_who_was(worked: Path) -> None:
    """Behind a stopped command, too; and nobody is named who has ended."""
    path = program.config(worked).store_path
    with shell(path) as first:
        waiting = program.start(worked, "ingest", environment=PATIENT)
        queued(path, waiting)
        with pytest.raises(StoreBusyError, match=f"process {first.pid} has held the store for 0.1 s"):
            Store(path, 0.1).write().__enter__()
        waiting.send_signal(signal.SIGSTOP)
    try:
        with shell(path) as second, pytest.raises(StoreBusyError, match=f"process {second.pid} has held"):
            Store(path, 0.1).read().__enter__()
        with Store(path, 5 * STILL_SECONDS).write():
            done = program.run(worked, "status", environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0.1"})
            assert f"process {os.getpid()} has held the store for 0.1 s" in done.stderr
    finally:
        waiting.kill()
        waiting.communicate()
