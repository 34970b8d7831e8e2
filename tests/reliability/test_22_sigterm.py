"""Promise: SIGTERM ends every command within 30 s, whatever it does, with exit code 143 and the store consistent."""

import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import IS_FULL, count

pytestmark = pytest.mark.reliability

LAST_LINE = "streammetrics: ended by SIGTERM; what was committed stays, and the next run does the rest\n"

BEFORE_IT_BEGAN = -signal.SIGTERM
"""Python was still starting; a shell calls that 143 as well."""

HEAVY = "select count(*) from range(3000000) as a inner join range(300000) as b on a.range % 7 = b.range % 7"


COMMANDS = [
    ["query", HEAVY],
    ["ingest"],
    ["detect"],
    ["schedule"],
    ["backtest", "--null", "50"],
    ["export", "windows", "--to", "windows.csv"],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = program.install(tmp_path / "installation")
    for number in range(3):
        program.records(folder / "incoming" / f"{number}.csv", number)
    return folder


def test_at_every_commit_and_rename(folder: Path, record_property: Callable[[str, object], None]) -> None:
    """One run after another is ended a point later, and makes up for what the one before left."""
    reached = 0
    for point in ("commit.after", "rename.before", "commit.before", "rename.after")[: count(2, 4)]:
        for visit in itertools.count(1) if IS_FULL else (8 if point.startswith("commit") else 1,):
            done = program.run(folder, "run", failpoint=f"{point}:{visit}:term")
            if done.returncode == 0:
                break
            assert (done.returncode, done.stderr) == (143, LAST_LINE)
            assert not (folder / "store.duckdb.scratch").exists()
            assert [path.name for path in folder.glob("out/.*")] == []
            reached += 1
    assert reached
    assert program.findings(folder) == []
    record_property("seen", f"{reached} points of a run: 143, consistent")


def test_at_a_random_moment(folder: Path, record_property: Callable[[str, object], None]) -> None:
    program.work(folder)
    for number in range(3, 9):
        program.records(folder / "incoming" / f"{number}.csv", number, minutes=60, per_minute=60)
    begun = time.monotonic()
    assert program.run(folder, "query", "select 1").returncode == 0
    begun = time.monotonic() - begun
    draw, longest, ends = random.Random(1), 0.0, Counter[int]()
    for command in COMMANDS * count(1, 10):
        with program.start(folder, *command) as process:
            time.sleep(draw.uniform(0.6, 2) * begun)
            requested = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        longest = max(longest, time.monotonic() - requested)
        ends[process.returncode] += 1
        assert "Traceback" not in err
        if command == ["schedule"]:
            assert process.returncode in (0, 143, BEFORE_IT_BEGAN)
        elif process.returncode == BEFORE_IT_BEGAN:
            # Or after it had ended: it has then printed all it has to.
            assert LAST_LINE not in err
        elif process.returncode != 0:
            assert (process.returncode, err) == (143, LAST_LINE)
    assert ends[143]
    assert longest < 30
    assert program.findings(folder) == []
    record_property("seen", f"{ends.total()} commands at random moments: ended within {longest:.1f} s")
