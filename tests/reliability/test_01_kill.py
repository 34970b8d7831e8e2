"""Promise: kill -9 at any moment loses and doubles no record and no alert, and the store reopens at once."""

import itertools
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

FILES = 3
"""So many come between one kill and the next."""


def kill(folder: Path, command: str, after_seconds: float) -> bool:
    """Start a command and kill it so long after it has opened the store; whether it still ran.

    Where it did the next may wait a little longer, else not as long: so that kills fall everywhere.
    """
    with program.start(folder, command) as process:
        if program.is_inside(process, folder):
            time.sleep(after_seconds)
        process.kill()
        process.communicate()
    return process.returncode != 0


def reopened(folder: Path) -> float:
    """How long (s) it takes to open the store for writing; of the processor, for others may be busy beside us."""
    started = time.process_time()
    with program.store(folder).write():
        return time.process_time() - started


def test_of_ingest(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    folder, draw = program.install(tmp_path / "installation"), random.Random(1)
    expected = program.records(folder / "incoming" / "0.csv", seed=0, minutes=5)
    whole, kills, longest = program.seconds_inside(folder, "ingest"), 0, 0.0
    for place in itertools.count():
        if kills == count(3, 200):
            break
        for number in range(FILES):
            seed = place * FILES + number + 1
            expected += program.records(folder / "incoming" / f"{seed}.csv", seed, minutes=5)
        hit = kill(folder, "ingest", draw.uniform(0, 1) * whole)
        kills, whole = kills + hit, whole * (1.1 if hit else 0.7)
        longest = max(longest, reopened(folder))
        if place % 10 == 0:
            assert program.findings(folder) == []
    assert program.run(folder, "ingest").returncode == 0
    assert program.findings(folder) == []
    assert program.stored(folder) == expected
    assert longest < 2
    record_property("seen", f"ingest: {kills} kills, 0 records lost or doubled, reopened in {longest:.2f} s")


def test_of_detect(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    folder, draw = program.install(tmp_path / "installation"), random.Random(2)
    program.records(folder / "incoming" / "errors.csv", seed=0, minutes=26 * 60, per_minute=6)
    assert program.run(folder, "ingest").returncode == 0
    unjudged = shutil.copytree(folder, tmp_path / "unjudged")
    whole, kills, longest = program.seconds_inside(folder, "detect"), 0, 0.0
    expected = program.alerts(folder)
    assert expected
    for place in itertools.count():
        if kills == count(2, 50):
            break
        killed = shutil.copytree(unjudged, tmp_path / f"killed-{place}")
        hit = kill(killed, "detect", draw.uniform(0, 1) * whole)
        kills, whole = kills + hit, whole * (1.1 if hit else 0.7)
        longest = max(longest, reopened(killed))
        program.work(killed)
        assert program.alerts(killed) == expected
        assert program.findings(killed) == []
        shutil.rmtree(killed)
    assert longest < 2
    record_property("seen", f"detect: {kills} kills, 0 alerts lost or doubled, reopened in {longest:.2f} s")
