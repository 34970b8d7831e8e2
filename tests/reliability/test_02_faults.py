"""Promise: a fault before or after any commit or rename leaves what was committed, and the next run makes up for it.

The points of notices come with the notices; until then `run` prints its news once, after they are stored.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import IS_FULL

pytestmark = pytest.mark.reliability

POINTS = ("commit.before", "commit.after", "rename.before", "rename.after")
QUICK = {"commit.before": 7, "commit.after": 8, "rename.before": 1, "rename.after": 2}
"""The visits that are tried where not all are: in the middle of a run."""

KILLED, INPUT_OUTPUT = -9, 74

ONLY_RUN = ("run", "--final")


def install(folder: Path) -> program.Records:
    program.install(folder)
    return program.records(folder / "incoming" / "0.csv", 0) + program.records(folder / "incoming" / "1.csv", 1)


@pytest.mark.parametrize("point", POINTS)
def test_of_a_run(tmp_path: Path, point: str, record_property: Callable[[str, object], None]) -> None:
    expected = install(tmp_path / "whole")
    news = program.run(tmp_path / "whole", *ONLY_RUN).stdout.splitlines()
    alerts = program.alerts(tmp_path / "whole")
    pictures = sorted(path.name for path in (tmp_path / "whole" / "out").iterdir())
    assert news
    assert len(pictures) == 2
    ends: Counter[int] = Counter()
    for visit in itertools.count(1) if IS_FULL else (QUICK[point],):
        for how in ("kill", "raise") if IS_FULL else ("kill",):
            folder = tmp_path / f"{visit}-{how}"
            install(folder)
            first = program.run(folder, *ONLY_RUN, failpoint=f"{point}:{visit}:{how}")
            assert "Traceback" not in first.stderr
            if first.returncode == 0:
                break
            assert first.returncode == (KILLED if how == "kill" else INPUT_OUTPUT), first.stderr
            ends[first.returncode] += 1
            again = program.run(folder, *ONLY_RUN)
            assert again.returncode == 0, again.stderr
            assert program.stored(folder) == expected
            assert program.alerts(folder) == alerts
            assert program.findings(folder) == []
            # Those that are missing are drawn when there is news again; those that are there are whole.
            drawn = list(folder.glob("out/[!.]*"))
            assert {path.name for path in drawn} <= set(pictures)
            assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in drawn)
            assert max(Counter(first.stdout.splitlines() + again.stdout.splitlines()).values(), default=1) == 1
        else:
            continue
        break
    assert ends
    record_property("seen", f"{point}: {ends.total()} faults, all made up for")


@pytest.mark.parametrize(
    "command",
    [
        ("export", "alerts", "--to", "new.csv"),
        ("heatmap", "--rule", "ratio", "--to", "new.png"),
        ("backup", "--to", "new.duckdb"),
        ("generate", "--records", "1000", "--to", "new.csv"),
    ],
    ids=lambda command: command[0],
)
def test_of_an_output(tmp_path: Path, command: tuple[str, ...]) -> None:
    install(tmp_path / "one")
    folder, target = tmp_path / "one", tmp_path / "one" / command[-1]
    program.work(folder)
    target.write_text("old")
    for point in ("rename.before", "rename.after")[:: 1 if IS_FULL else -2]:
        assert (
            program.run(folder, *command, failpoint=f"{point}:{1 + (command[0] == 'generate')}:kill").returncode
            == KILLED
        )
        assert (target.read_bytes() == b"old") == (point == "rename.before")
    assert program.run(folder, *command).returncode == 0
    assert target.stat().st_size > len("old")
    if command[0] != "generate":
        assert program.findings(folder) == []
