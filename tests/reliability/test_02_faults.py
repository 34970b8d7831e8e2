"""Promise: a fault before or after any commit or rename leaves what was committed, and the next run makes up for it.

The points of notices come with the notices; until then `run` prints its news once, after they are stored.
"""

import itertools
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import IS_FULL, count

pytestmark = pytest.mark.reliability

KILLED, INPUT_OUTPUT = -9, 74

QUICK = {"commit.before": 7, "commit.after": 8, "rename.before": 1}
"""The visits that are tried where not all are: in the middle of a run."""

OUTPUTS = [
    ("export", "alerts", "--to", "new.csv"),
    ("backup", "--to", "new.duckdb"),
    ("heatmap", "--rule", "ratio", "--to", "new.png"),
    ("generate", "--records", "1000", "--to", "new.csv"),
]


def install(folder: Path) -> program.Records:
    program.install(folder)
    return program.records(folder / "incoming" / "0.csv", 0) + program.records(folder / "incoming" / "1.csv", 1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves that nothing disturbs."""
    folder = tmp_path_factory.mktemp("whole") / "installation"
    install(folder)
    assert program.run(folder, "run").returncode == 0
    return folder


@pytest.mark.parametrize(
    "point", ["commit.before", "commit.after", "rename.before", "rename.after"] if IS_FULL else QUICK
)
def test_of_a_run(whole: Path, tmp_path: Path, point: str, record_property: Callable[[str, object], None]) -> None:
    pictures = {path.name for path in (whole / "out").iterdir()}
    assert len(pictures) == 2
    faults = repeated = 0
    for visit in itertools.count(1) if IS_FULL else (QUICK[point],):
        how = ("kill", "raise")[visit % 2] if IS_FULL else "kill"
        folder = tmp_path / f"{visit}-{how}"
        install(folder)
        first = program.run(folder, "run", failpoint=f"{point}:{visit}:{how}")
        assert "Traceback" not in first.stderr
        if how == "kill" and first.returncode == 0:
            break
        # What one file could not have, each of them tried alone may.
        assert first.returncode in ((KILLED,) if how == "kill" else (0, INPUT_OUTPUT)), first.stderr
        faults += 1
        news = first.stdout.splitlines()
        if IS_FULL:
            again = program.run(folder, "run")
            assert again.returncode == 0, again.stderr
            news += again.stdout.splitlines()
        else:
            program.work(folder)
        assert program.stored(folder) == program.stored(whole)
        # The files that were loaded beside one that failed were judged without it: what stood then was retracted.
        assert program.alerts(folder, how == "kill") == program.alerts(whole)
        assert program.findings(folder) == []
        # Those that are missing are drawn when there is news again; those that are there are whole.
        drawn = list(folder.glob("out/[!.]*"))
        assert {path.name for path in drawn} <= pictures
        assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in drawn)
        times = max(Counter(news).values(), default=1)
        assert times <= 2
        repeated += times == 2
    assert faults
    # Between printing notices and the commit that says so, a crash repeats them: docs/notices.md.
    assert repeated <= (point == "commit.before")
    record_property("seen", f"{point}: {faults} faults, all made up for")


@pytest.mark.parametrize("command", OUTPUTS[: count(2, 4)], ids=lambda command: command[0])
def test_of_an_output(whole: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = shutil.copytree(whole, tmp_path / "installation")
    target = folder / command[-1]
    target.write_text(program.OLD)
    # A stream's truth comes before it.
    visit = 2 if command[0] == "generate" else 1
    for point in ("rename.before", "rename.after"):
        assert program.run(folder, *command, failpoint=f"{point}:{visit}:kill").returncode == KILLED
        assert (target.read_bytes() == program.OLD.encode()) == (point == "rename.before")
    assert target.stat().st_size > len(program.OLD)
    assert program.findings(folder) == []


@pytest.mark.parametrize("point", ["commit.before", "commit.after"])
def test_of_unload(whole: Path, tmp_path: Path, point: str) -> None:
    """All of a batch is gone, or nothing."""
    faults = 0
    for visit in itertools.count(1):
        folder = shutil.copytree(whole, tmp_path / f"{visit}")
        done = program.run(folder, "unload", "1", failpoint=f"{point}:{visit}:kill")
        if done.returncode == 0:
            break
        assert done.returncode == KILLED
        faults += 1
        assert program.findings(folder) == []
        is_whole = program.stored(folder) == program.stored(whole)
        again = program.run(folder, "unload", "1")
        assert again.returncode == (0 if is_whole else 2)
        program.work(folder)
        assert program.stored(folder) == program.stored(whole)
        assert program.alerts(folder, with_retracted=False) == program.alerts(whole, with_retracted=False)
        assert program.findings(folder) == []
    assert faults
