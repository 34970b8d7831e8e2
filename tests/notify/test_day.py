"""A day with channels: releases, increases, a storm, and a run that is killed in every phase."""

import inspect
import json
import os
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streammetrics.config import Channel, Comparison
from streammetrics.report import verdict
from streammetrics.runtime import failpoints
from tests.release_day import CALM, ReleaseDay, scaled
from tests.streams import MONDAY, moment_of

pytestmark = pytest.mark.slow

CALM_HOURS, WORSE_HOURS = (60, 60, 60), (20, 40, 60, 60)
"""Minutes between runs."""

PHASES = (
    ("_load", 1),
    ("_judge_portion", 12),
    ("_keep", 1),
    ("_advise", 1),
    ("_end", 1),
    ("print_waiting", 1),
    ("print_waiting", 2),
    ("deliver", 2),
    ("deliver", 4),
)
"""Where a run dies: before this commit within this function; of the last two, the second is after notices were sent."""

MANY = {f"s{number}": 0.2 for number in range(12)}


@dataclass
class Killed(ReleaseDay):
    """A day on which runs can be killed at a commit."""

    def kill(self, minutes: int, builds: dict[str, dict[str, float]], function: str, visit: int) -> None:
        """Play so many minutes; their run dies before commit number `visit` within the function."""
        before = len(list(self.folder.glob("*.csv")))
        child = os.fork()
        if child == 0:
            try:
                left = visit

                def reach(point: str) -> None:
                    nonlocal left
                    left -= point == "commit.before" and any(one.function == function for one in inspect.stack(0))
                    if left == 0:
                        os.kill(os.getpid(), signal.SIGKILL)

                failpoints._WANTED, failpoints.reach = "all", reach
                self.play(minutes, builds, at_once=True)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert len(list(self.folder.glob("*.csv"))) == before + 1
        assert os.WIFSIGNALED(status), (function, visit)
        self.minute += minutes

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The changes that the channel got: kind and code, each message key once."""
        path, found = self.folder / "got", {}
        for line in path.read_text().splitlines() if path.exists() else []:
            message = json.loads(line)
            found[message["key"]] = [(one["change"], one.get("code", "")) for one in message["changes"]]
        return [change for changes in found.values() for change in changes]

    def verdicts(self) -> dict[str, str]:
        now = moment_of(MONDAY + self.minute * 60)
        found = verdict.verdicts(self.session.store, self.config, now, None, None, None)
        return {str(one.candidate): one.verdict for one in found}


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Killed:
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    words = f"cat >> {tmp_path}/got"
    channel = Channel(name="hook", kind="command", command=("sh", "-c", words))
    # Estimated, an increase of most codes would be traffic.
    return Killed.at(tmp_path, channel=(channel,), comparison=(Comparison(exposure="equal"),))


def both(share: float, **ratios: float) -> dict[str, dict[str, float]]:
    rates = {**CALM, **MANY}
    return {"1.0": scaled(1 - share, rates), "1.1": scaled(share, rates, **ratios)}


def test_a_day_in_the_life(day: Killed) -> None:
    day.play(120, {"1.0": scaled(1, {**CALM, **MANY})}, at_once=True)

    def hours(name: str, steps: tuple[int, ...], builds: dict[str, dict[str, float]], candidate: str = "1.1") -> None:
        word = "worse" if name in ("login", "timeout and parse", "storm", "disk") else "not worse"
        for minutes in steps:
            day.play(minutes, builds, at_once=True)
            if day.minute % 60 == 0:
                assert day.verdicts()[candidate] == word, (name, day.minute)

    hours("calm", CALM_HOURS[1:], both(0.5))
    hours("login", WORSE_HOURS, both(0.5, login=6))
    hours("calm again", CALM_HOURS, both(0.5))
    hours("timeout and parse", WORSE_HOURS, both(0.5, timeout=4, parse=5))
    hours("calm for the third time", CALM_HOURS, both(0.5))
    hours("storm", WORSE_HOURS, both(0.5, **dict.fromkeys(MANY, 6.0)))
    hours("recovered", CALM_HOURS, both(0.5))
    half = scaled(0.5, {**CALM, **MANY})
    hours("disk", (20, 40), {"1.1": half, "1.2": scaled(0.5, {**CALM, **MANY}, disk=8)}, "1.2")
    hours("mended", (60,), {"1.1": half, "1.2": half}, "1.2")
    assert day.minute >= 24 * 60
    opened = Counter(code for change, code in day.sent if change == "opened")
    over = Counter(code for change, code in day.sent if change in ("resolved", "superseded"))
    assert opened == over == dict.fromkeys(["login", "timeout", "parse", "disk", *MANY], 1)
    assert {change for change, _ in day.sent} <= {"opened", "worse", "resolved", "superseded"}
    printed = Counter(code for _, code, _ in day.changes("OPENED"))
    assert printed == opened
    subjects = [json.loads(line)["subject"] for line in (day.folder / "got").read_text().splitlines()]
    assert sum(subject.startswith("[STORM] 12 codes increased in 1.1") for subject in subjects) == 1


def test_a_run_that_is_killed_in_any_phase_loses_no_notice(day: Killed) -> None:
    """Each run that opens or ends an incident is killed in one phase."""
    day.play(60, {"1.0": scaled(1)}, at_once=True)
    calm = {"1.0": scaled(0.5), "1.1": scaled(0.5)}
    day.play(30, calm, at_once=True)
    for number, phase in enumerate(PHASES):
        worse = {"1.0": scaled(0.5), "1.1": scaled(0.5, CALM, **{list(CALM)[number % len(CALM)]: 8.0})}
        day.kill(20, worse, *phase)
        # Of every other one, the next run finds the end as well.
        if number % 2:
            day.play(1, worse)
        day.kill(30, calm, *phase)
        day.play(10, calm, at_once=True)
    rows: list[Any] = day.rows("select code, count(*) from incidents group by code order by code")
    for change in ("opened", "resolved"):
        assert sorted(Counter(code for kind, code in day.sent if kind == change).items()) == rows, change
