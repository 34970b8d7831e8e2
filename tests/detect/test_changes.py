"""Incidents that end with their comparison, and that come back: their messages belong together."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.config import BuildSettings, Channel, Comparison
from streammetrics.detect.incidents import Change, Departure, Incident, Latest
from streammetrics.report import wording
from tests.oracles.mean_rules import Record
from tests.release_day import ReleaseDay, scaled
from tests.streams import MONDAY

NOON = datetime(2026, 11, 23, 12)
LATEST = Latest(
    NOON, peak_value=30.0, threshold=6.0, baseline_errors=40, candidate_errors=200, ratio=5.0, ratio_low=4.0,
    ratio_high=6.0, exposure="equal", candidate_share=0.5,
)  # fmt: skip
INCIDENT = Incident(
    **vars(LATEST), incident_id=5, rule="regression", detector="sequential", baseline="1.0", candidate="1.1", code="7",
    stop_ts=NOON, end_ts=NOON + timedelta(hours=2), alerts=9, state="open", dispersion=1.0, opened_ts=NOON,
)  # fmt: skip


def line(change: str, state: str = "open", **fields: Any) -> str:
    return wording.change_line(Change(change, replace(INCIDENT, state=state), comparison_seconds=60, **fields))


def test_what_is_back_is_reported_by_its_latest_alert() -> None:
    again = Latest(NOON + timedelta(hours=1), 9.0, 6.0, 10, 20, 2.0, 1.5, 2.5, "equal", 0.5)
    assert line("reopened", again=again) == (
        "REOPENED  code 7  again since 2026-11-23 13:00:00 UTC (first 2026-11-23 12:00:00)  10 -> 20 errors "
        "(x2, 1.5 to 2.5)  regression evidence 10^9, required 10^6, equal exposure  1.0 -> 1.1  incident 5"
    )
    assert line("reopened", again=replace(again, start_ts=NOON - timedelta(seconds=10))) == (
        "REOPENED  code 7  since 2026-11-23 12:00:00 UTC  10 -> 20 errors (x2, 1.5 to 2.5)  regression evidence 10^9, "
        "required 10^6, equal exposure  1.0 -> 1.1  incident 5"
    )


def test_what_is_superseded_says_which_build_has_gone() -> None:
    expected = (
        "SUPERSEDED code 7  since 2026-11-23 12:00:00 to 2026-11-23 14:00:00 UTC  40 -> 200 errors (x5, 4 to 6)  "
        "regression evidence 10^30, required 10^6, equal exposure  1.0 -> 1.1  {}  incident 5"
    )
    old, new = (Departure(build, NOON + timedelta(hours=hour)) for build, hour in (("1.0", 2), ("1.1", 3)))
    for gone, words in (
        ([old], "1.0 (last record 2026-11-23 14:00:00) has gone"),
        ([old, new], "1.0 (last record 2026-11-23 14:00:00) and 1.1 (last record 2026-11-23 15:00:00) have gone"),
        ([], "other comparisons took its place"),
    ):
        assert line("superseded", state="superseded", gone=tuple(gone)) == expected.format(words)


def test_what_is_withdrawn_says_what_may_have_taken_its_evidence() -> None:
    assert line("withdrawn", state="resolved") == (
        "WITHDRAWN code 7  since 2026-11-23 12:00:00 to 2026-11-23 14:00:00 UTC  40 -> 200 errors (x5, 4 to 6)  "
        "regression evidence 10^30, required 10^6, equal exposure  1.0 -> 1.1  "
        "the evidence is gone: late or removed records, or other settings  incident 5"
    )


def test_an_incident_is_of_a_row_that_may_know_more() -> None:
    assert Incident.of({**vars(INCIDENT), "further": 1}) == INCIDENT


class JsonDay(ReleaseDay):
    """A day whose changes are printed as JSON."""

    @property
    def session(self) -> Any:
        return replace(super().session, as_json=True)

    def changes_to(self, change: str) -> list[dict[str, Any]]:
        return [row for row in (json.loads(text) for _, text in self.printed) if row["change"] == change]


def steady(day: ReleaseDay, build: str, code: str, minutes: Iterable[int], per_minute: int) -> list[Record]:
    begin = MONDAY + day.minute * 60
    return [
        Record(begin + minute * 60 + 60 * n // per_minute, build, code) for minute in minutes for n in range(per_minute)
    ]


@pytest.mark.slow
def test_a_build_that_has_gone_is_named_with_its_last_record(tmp_path: Path) -> None:
    day = JsonDay.at(tmp_path)
    both = [r for build in ("1.0", "1.1") for r in steady(day, build, "timeout", range(30), 20)]
    day.play(30, {}, [*both, *steady(day, "1.1", "login", range(30), 20)], at_once=True)
    for _ in range(3):
        day.play(60, {}, steady(day, "1.1", "timeout", range(60), 20), at_once=True)
    (gone,) = day.changes_to("superseded")
    assert gone["gone"] == [{"build": "1.0", "last_ts": "2026-11-23 00:29:57"}]


@pytest.mark.slow
def test_a_comparison_that_lost_its_place_names_no_build(tmp_path: Path) -> None:
    day = JsonDay.at(tmp_path, builds=BuildSettings(max_comparisons=1))
    builds = {"1.0": scaled(0.9), "1.1": scaled(0.3, login=8)}
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    day.play(20, builds, at_once=True)
    day.play(80, {**builds, "1.2": scaled(0.9)}, at_once=True)
    assert [(one["candidate"], one["gone"]) for one in day.changes_to("superseded")] == [("1.1", [])]


@pytest.mark.slow
def test_an_incident_that_is_back_tells_the_figures_of_its_latest_alert(tmp_path: Path) -> None:
    """The increase ends for a while, in which the incident is resolved, and the same begins again."""
    day = JsonDay.at(tmp_path, comparison=(Comparison(exposure="equal"),))
    calm, worse = {"1.0": scaled(1), "1.1": scaled(1)}, {"1.0": scaled(1), "1.1": scaled(1, login=20)}
    for minutes, builds in ((30, calm), (5, worse), (7, calm), (5, worse)):
        day.play(minutes, builds, at_once=True)
    (back,) = day.changes_to("reopened")
    again, figures = back["again"], "start_ts, baseline_errors, candidate_errors"
    assert [one["change"] for one in map(json.loads, (text for _, text in day.printed))][:2] == ["opened", "resolved"]
    (latest,) = day.rows(f"select {figures} from alerts order by stop_ts desc limit 1")
    assert (datetime.fromisoformat(again["start_ts"]), again["baseline_errors"], again["candidate_errors"]) == latest


@pytest.mark.slow
def test_an_increase_that_doubles_is_worse(tmp_path: Path) -> None:
    day = JsonDay.at(tmp_path, comparison=(Comparison(exposure="equal"),))
    for minutes, ratio in ((60, 1), (10, 3), (10, 3.3), (10, 9), (10, 9)):
        day.play(minutes, {"1.0": scaled(1), "1.1": scaled(1, login=ratio)}, at_once=True)
    assert [row["change"] for row in map(json.loads, (text for _, text in day.printed))] == ["opened", "worse"]
    (worse,) = day.changes_to("worse")
    assert (worse["code"], worse["doublings"]) == ("login", 1)


@pytest.mark.slow
def test_late_records_withdraw_an_incident(tmp_path: Path) -> None:
    """The baseline had the same increase; its records come later."""
    channel = Channel(name="hook", kind="command", command=("sh", "-c", f"cat >> {tmp_path}/got"))
    day = ReleaseDay.at(tmp_path, channel=(channel,), comparison=(Comparison(exposure="equal"),))
    calm = [one for build in ("1.0", "1.1") for code in ("7", "8") for one in steady(day, build, code, range(30), 20)]
    increase, same = (steady(day, build, "7", range(10, 30), 200) for build in ("1.1", "1.0"))
    day.play(30, {}, [*calm, *increase], at_once=True)
    assert day.changes() == [("OPENED", "7", "1.1")]
    day.play(1, {}, same)
    assert day.changes() == [("OPENED", "7", "1.1"), ("WITHDRAWN", "7", "1.1")]
    sent = [json.loads(line)["changes"] for line in (tmp_path / "got").read_text().splitlines()]
    assert [one["change"] for changes in sent for one in changes] == ["opened", "withdrawn"]
    assert day.rows("select count(*) from incidents") == [(0,)]
