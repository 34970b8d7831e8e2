"""A day with channels: releases, increases, a storm, and a run that is killed in every phase."""

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

EVERY = 10
MANY = {f"s{number}": 0.2 for number in range(12)}


@dataclass
class Killed(ReleaseDay):
    """A day on which runs can be killed at a commit."""

    def killed(self, minutes: int, builds: dict[str, dict[str, float]], visit: int) -> bool:
        """Play so many minutes; their run dies before its commit number `visit`, if it has so many: whether it did."""
        before = len(list(self.folder.glob("*.csv")))
        child = os.fork()
        if child == 0:
            failpoints._WANTED = f"commit.before:{visit}:kill"
            failpoints._visits.clear()
            code = 1
            try:
                self.play(minutes, builds, every=minutes)
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert len(list(self.folder.glob("*.csv"))) == before + 1
        assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL, status
        self.minute += minutes
        return status != 0

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
    storm = dict.fromkeys(MANY, 6.0)
    day.play(120, {"1.0": scaled(1, {**CALM, **MANY})}, at_once=True)
    hours: list[tuple[str, dict[str, float]]] = [
        ("calm", {}),
        ("login", {"login": 6}),
        ("calm again", {}),
        ("timeout and parse", {"timeout": 4, "parse": 5}),
        ("calm for the third time", {}),
        ("storm", storm),
        ("recovered", {}),
    ]
    expected = {"calm": "not worse", "login": "worse", "timeout and parse": "worse", "storm": "worse"}
    for name, ratios in hours:
        day.play(180, both(0.5, **ratios), every=EVERY)
        assert day.verdicts()["1.1"] == expected.get(name, "not worse"), name
    day.play(60, {"1.1": scaled(0.5, {**CALM, **MANY}), "1.2": scaled(0.5, {**CALM, **MANY}, disk=8)}, every=EVERY)
    assert day.verdicts()["1.2"] == "worse"
    day.play(60, {"1.1": scaled(0.5, {**CALM, **MANY}), "1.2": scaled(0.5, {**CALM, **MANY})}, every=EVERY)
    opened = Counter(code for change, code in day.sent if change == "opened")
    over = Counter(code for change, code in day.sent if change in ("resolved", "superseded"))
    assert opened == over == dict.fromkeys(["login", "timeout", "parse", "disk", *MANY], 1)
    assert {change for change, _ in day.sent} <= {"opened", "worse", "resolved", "superseded"}
    printed = Counter(code for _, code, _ in day.changes("OPENED"))
    assert printed == opened
    subjects = [json.loads(line)["subject"] for line in (day.folder / "got").read_text().splitlines()]
    assert sum(subject.startswith("[STORM] 12 codes increased in 1.1") for subject in subjects) == 1


def test_a_run_that_is_killed_in_any_phase_loses_no_notice(day: Killed) -> None:
    """Each run that opens or ends an incident is killed at another of its commits."""
    day.play(60, {"1.0": scaled(1, {**CALM, **MANY})}, at_once=True)
    day.play(30, both(0.5), at_once=True)
    kills, visit = 0, 1
    while visit < 40:
        code = list(CALM)[visit % len(CALM)]
        is_killed = day.killed(20, both(0.5, **{code: 8.0}), visit)
        day.play(1, both(0.5, **{code: 8.0}))
        ends = day.killed(30, both(0.5), visit)
        day.play(10, both(0.5), every=5)
        kills += is_killed + ends
        if not (is_killed or ends):
            break
        visit += 1
    assert kills >= 10
    rows: list[Any] = day.rows("select code, count(*) from incidents group by code order by code")
    for change in ("opened", "resolved"):
        assert sorted(Counter(code for kind, code in day.sent if kind == change).items()) == rows, change
