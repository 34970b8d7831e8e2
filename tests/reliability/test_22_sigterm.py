"""Promise: SIGTERM ends every command within 30 s, whatever it does, with exit code 143 and the store consistent."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

LAST_LINE = "streammetrics: ended by SIGTERM; what was committed stays, and the next run makes up for the rest\n"

HEAVY = "select count(*) from range(3000000) as a inner join range(300000) as b on a.range % 7 = b.range % 7"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = program.install(tmp_path / "installation")
    for number in range(3):
        program.records(folder / "incoming" / f"{number}.csv", number)
    return folder


def test_at_every_commit_and_rename(folder: Path, record_property: Callable[[str, object], None]) -> None:
    """One run after another is ended a point later, and makes up for what the one before left."""
    reached = 0
    for point in ("commit.before", "commit.after", "rename.before", "rename.after"):
        for visit in range(1, count(2, 100)):
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


@pytest.mark.parametrize(
    "command",
    [
        ["query", HEAVY],
        ["query"],
        ["ingest"],
        ["detect"],
        ["schedule"],
        ["backtest", "--null", "50"],
        ["export", "windows", "--to", "windows.csv"],
    ],
    ids=" ".join,
)
def test_at_a_random_moment(folder: Path, command: list[str], record_property: Callable[[str, object], None]) -> None:
    program.work(folder)
    for number in range(3, 9):
        program.records(folder / "incoming" / f"{number}.csv", number, minutes=60, per_minute=60)
    draw, longest = random.Random(1), 0.0
    for _ in range(count(1, 10)):
        with program.start(folder, *command) as process:
            time.sleep(draw.uniform(0.6, 1.5))
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        longest = max(longest, time.monotonic() - started)
        assert "Traceback" not in err
        if command == ["schedule"]:
            assert (process.returncode, "schedule ends: SIGTERM" in err) in [(0, True), (143, False)], err
        elif process.returncode != 0:
            assert (process.returncode, err) == (143, LAST_LINE)
    assert longest < 30
    assert program.findings(folder) == []
    record_property("seen", f"{command[0]}: {longest:.1f} s at most")
