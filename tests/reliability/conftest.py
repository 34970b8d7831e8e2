"""How much the tests of `make reliability` try: little in CI, all of it there; and what they saw."""

import os
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.reliability import program

IS_FULL = bool(os.environ.get("RELIABILITY_FULL"))
ALL = range(1, 27)


def count(quick: int, full: int) -> int:
    """How often to try: `full` in `make reliability`, else `quick`."""
    return full if IS_FULL else quick


@pytest.fixture
def worked(tmp_path: Path) -> Path:
    """The folder of an installation that has ingested and judged a file."""
    folder = program.install(tmp_path / "installation")
    program.records(folder / "incoming" / "0.csv", 0)
    program.work(folder)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A table of the tests: the number, how it ended, and what it recorded as `seen`."""
    if not IS_FULL:
        return
    ended: dict[int, set[str]] = defaultdict(set)
    seen: dict[int, list[str]] = defaultdict(list)
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.getreports(outcome):
            match = re.search(r"reliability/test_(\d\d)_", report.nodeid)
            if match:
                ended[int(match[1])].add(outcome)
                properties = getattr(report, "user_properties", ())
                seen[int(match[1])] += [str(value) for name, value in properties if name == "seen"]
    terminalreporter.section("reliability")
    for number in ALL:
        terminalreporter.line(
            f"{number:2}  {', '.join(sorted(ended[number])) or 'absent':8}  {'; '.join(seen[number])}"
        )
