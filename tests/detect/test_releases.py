"""Releases as they really happen: which builds are compared, and what that means for incidents that are open."""

import re
from pathlib import Path

import pytest

from streammetrics.config import BuildSettings, Comparison
from tests.oracles.mean_rules import Record
from tests.release_day import MINUTE, ReleaseDay, scaled
from tests.streams import MONDAY

pytestmark = pytest.mark.slow


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseDay:
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    return ReleaseDay.at(tmp_path)


def burst(build: str, second: int, count: int = 25, step: int = 2, code: str = "timeout") -> list[Record]:
    """So many records of a build, from a second of the day on."""
    return [Record(MONDAY + second + step * place, build, code) for place in range(count)]


def regressed(day: ReleaseDay) -> dict[str, dict[str, float]]:
    """Play 1.0 and 1.1, which sends three times as many `login` errors, until that is an incident; what they send."""
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    builds = {"1.0": scaled(0.5), "1.1": scaled(0.5, login=6)}
    day.play(12, builds, at_once=True)
    assert day.changes() == [("OPENED", "login", "1.1")]
    return builds


@pytest.mark.parametrize("stray", ["999.9.9", "99.0-dev", "zz", "0.1"])
def test_a_stray_build_ends_no_comparison(day: ReleaseDay, stray: str) -> None:
    builds = regressed(day)
    day.play(1, builds, burst(stray, day.minute * MINUTE))
    day.play(4, {**builds, stray: {"timeout": 0.01}}, every=2)
    assert day.changes() == [("OPENED", "login", "1.1")]
    assert day.judged()["1.0", "1.1"] >= day.minute - 1
    assert day.rows("select state from incidents") == [("open",)]


def test_a_stray_build_with_a_quarter_of_the_stream(day: ReleaseDay) -> None:
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    day.play(12, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=6), "999.9.9": scaled(0.33)}, every=3)
    assert ("OPENED", "login", "1.1") in day.changes()
    assert not day.changes("RESOLVED", "WITHDRAWN")
    assert not [line for _, line in day.reported if "exposure" in line]


def test_a_thousand_invented_builds_change_nothing_of_others(day: ReleaseDay) -> None:
    builds = regressed(day)
    invented = [r for n in range(1000) for r in burst(f"1.0.{n}", day.minute * MINUTE + n % 15, code=f"C{n % 50}")]
    day.play(1, builds, invented)
    day.play(14, {**builds, "1.2": scaled(0.1, disk=50)}, every=7)
    changes = day.changes("OPENED", "REOPENED", "RESOLVED", "SUPERSEDED", "WITHDRAWN")
    of_others = [change for change in changes if not change[2].startswith("1.0.")]
    assert of_others == [("OPENED", "login", "1.1"), ("OPENED", "disk", "1.2")]
    assert day.judged()["1.0", "1.1"] >= day.minute - 1


def test_a_leading_v(day: ReleaseDay) -> None:
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    day.play(15, {"1.0": scaled(0.5), "v1.1": scaled(0.5, login=6)}, at_once=True)
    assert day.changes() == [("OPENED", "login", "v1.1")]


def test_hashes_are_ordered_by_appearance(day: ReleaseDay) -> None:
    day.play(30, {"f3a9c1e": scaled(1)}, at_once=True)
    day.play(15, {"f3a9c1e": scaled(0.5), "a01d2e3": scaled(0.5, login=6)}, at_once=True)
    assert day.changes() == [("OPENED", "login", "a01d2e3")]
    jobs_status = day.rows("select build, ordered_by from builds order by version_rank")
    assert jobs_status == [("f3a9c1e", "first_seen"), ("a01d2e3", "first_seen")]


def test_each_family_is_compared_with_itself(day: ReleaseDay) -> None:
    day.play(30, {"android-5.1": scaled(0.5), "ios-5.1": scaled(0.5)}, at_once=True)
    both = {"android-5.1": scaled(0.25), "ios-5.1": scaled(0.25)}
    day.play(15, {**both, "android-5.2": scaled(0.25), "ios-5.2": scaled(0.25, login=8)}, at_once=True)
    assert day.changes() == [("OPENED", "login", "ios-5.2")]
    assert set(day.judged()) == {("android-5.1", "android-5.2"), ("ios-5.1", "ios-5.2")}


def test_a_hotfix_of_the_version_before(day: ReleaseDay) -> None:
    day.play(60, {"5.9": scaled(1)}, at_once=True)
    day.play(30, {"5.9": scaled(0.7), "5.10": scaled(0.3)}, at_once=True)
    day.play(20, {"5.9": scaled(0.4), "5.9.1": scaled(0.3), "5.10": scaled(0.3)}, every=4)
    assert day.changes() == []
    assert set(day.judged()) == {("5.9", "5.9.1"), ("5.9", "5.10")}
    assert min(day.judged().values()) >= day.minute - 1


def test_a_version_that_was_rolled_back(day: ReleaseDay) -> None:
    day.play(60, {"5.9": scaled(1)}, at_once=True)
    day.play(30, {"5.9": scaled(0.5), "5.10": scaled(0.5, sync=9)}, at_once=True)
    assert day.changes() == [("OPENED", "sync", "5.10")]
    day.play(120, {"5.9": scaled(1)}, at_once=True)
    assert day.changes("SUPERSEDED", "RESOLVED") == [("SUPERSEDED", "sync", "5.10")]
    day.play(15, {"5.9": scaled(0.5), "5.10.1": scaled(0.5, login=6)}, at_once=True)
    assert day.changes("OPENED")[1:] == [("OPENED", "login", "5.10.1")]
    assert day.judged()["5.9", "5.10.1"] >= day.minute - 1


def test_a_regression_that_sends_most_records_asks_for_no_exposure(day: ReleaseDay) -> None:
    """Of ten records nine are the candidate's, by one code alone."""
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    day.play(16, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=60)}, every=4)
    assert day.changes("OPENED") == [("OPENED", "login", "1.1")]
    assert not [line for _, line in day.reported if "exposure" in line]


EARLIER = '; or add a [[comparison]] with baseline = "earlier": it compares all builds as one with a day before'


def test_a_cut_over_is_reported_once(day: ReleaseDay) -> None:
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    day.play(20, {"1.1": scaled(1, login=6)})
    warnings = [(minute, line) for minute, line in day.reported if "no longer be judged" in line]
    assert warnings == [
        (
            41,
            "1.1 can no longer be judged: its baseline 1.0 stopped within an hour of the first record of 1.1, and "
            "the store has no day of 1.0 before that, or lag_days is 0; release in steps, or correct the feed "
            f"of 1.0{EARLIER}",
        )
    ]


def test_a_third_build_within_hours_is_reported_with_the_comparison_that_needs_no_day_of_the_second(
    day: ReleaseDay,
) -> None:
    day.play(25 * 60, {"1.0": scaled(1)}, at_once=True)
    day.play(180, {"1.1": scaled(1)}, at_once=True)
    day.play(20, {"1.2": scaled(1, login=6)}, at_once=True)
    (line,) = [line for _, line in day.reported if "no longer be judged" in line]
    assert line.startswith("1.2 can no longer be judged: its baseline 1.1 stopped")
    assert line.endswith(EARLIER)
    day.config = day.config.model_copy(update={"comparison": (Comparison(), Comparison(baseline="earlier"))})
    day.play(1, {"1.2": scaled(1, login=6)})
    (line,) = [found for _, found in day.reported if found.startswith("1.2 can no longer") and found != line]
    assert line.endswith("correct the feed of 1.1")


def test_a_new_build_with_a_slow_clock(day: ReleaseDay) -> None:
    builds = regressed(day)
    day.play(1, builds, burst("1.2", day.minute * MINUTE - 1500))
    day.play(3, builds)
    assert day.changes() == [("OPENED", "login", "1.1")]
    assert day.rows("select state from incidents") == [("open",)]


def test_old_versions_in_the_field_leave_their_place_to_a_release(day: ReleaseDay) -> None:
    """Five versions are in use for long; a new one with a fiftieth of the users is compared all the same."""
    old = {f"4.{n}": scaled(0.2) for n in range(5)}
    for _ in range(9):
        day.play(60, old, at_once=True)
        day.minute += 23 * 60
    day.play(60, old, at_once=True)
    day.play(12, {**old, "5.0": scaled(0.02, login=300)}, at_once=True)
    assert ("OPENED", "login", "5.0") in day.changes()


@pytest.mark.parametrize("most", [1, 2])
def test_so_many_comparisons_of_a_family_are_judged(day: ReleaseDay, most: int) -> None:
    day.config = day.config.model_copy(update={"builds": BuildSettings(max_comparisons=most)})
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    for number in range(1, 4):
        day.play(70, {"1.0": scaled(1), **{f"1.{n}": scaled(0.1 * n) for n in range(1, number + 1)}}, at_once=True)
    judged = day.rows(
        "select baseline, candidate from progress where not is_superseded group by all order by candidate desc"
    )
    assert judged == [("1.0", "1.3"), ("1.0", "1.2")][:most]


def test_named_builds_keep_their_places(day: ReleaseDay) -> None:
    day.config = day.config.model_copy(
        update={
            "builds": BuildSettings(max_comparisons=1),
            "comparison": (Comparison(), Comparison(baseline="1.0", candidate="1.1")),
        }
    )
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    day.play(90, {"1.0": scaled(1), "1.1": scaled(0.1), "1.2": scaled(0.4)}, at_once=True)
    judged = day.rows("select distinct candidate from progress where not is_superseded order by candidate")
    assert judged == [("1.1",), ("1.2",)]


def test_the_day_of_the_docs(day: ReleaseDay) -> None:
    """docs/releases.md shows each line that is printed, word by word."""
    day.minute = 12 * 60
    broken = scaled(0.2, sync=8)
    day.play(25 * 60, {"1.0": scaled(2)}, at_once=True)
    day.play(12, {"1.0": scaled(1.8), "1.1": broken})
    day.play(8, {"1.0": scaled(1.8), "1.1": broken}, every=4)
    day.play(1, {"1.0": scaled(1.8), "1.1": broken}, burst("999.9.9", day.minute * MINUTE))
    day.play(9, {"1.0": scaled(1.8), "1.1": broken}, every=3)
    day.play(20, {"1.0": scaled(1.4), "1.0.1": scaled(0.4), "1.1": broken}, every=5)
    day.play(11, {"1.1": scaled(2, sync=8)})
    day.play(109, {"1.1": scaled(2, sync=8)}, at_once=True)
    text = (Path(__file__).parents[2] / "docs" / "releases.md").read_text(encoding="utf-8")
    shown = [line.strip() for line in text.splitlines() if re.match(r"    (OPENED|WORSE|SUPERSEDED) ", line)]
    assert shown == [line for _, line in sorted([*day.printed, *day.reported])]
    assert [minute - 36 * 60 for minute, _ in day.printed] == [71, 121, 230]
