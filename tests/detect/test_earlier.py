"""Comparisons with what was sent days before: against what they mean, and through `run` as cron would."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from sqlalchemy import Connection

from bench.detection import measure, ours
from bench.detection.families import FAMILIES
from bench.detection.streams import DAY_BINS, some_codes
from streammetrics.config import Comparison, Config, Rule, SequentialRule
from streammetrics.detect import passes
from tests.oracles.mean_rules import Record
from tests.release_day import ReleaseDay, scaled
from tests.streams import MONDAY, clear, clock, empty_store, load, select, tries

pytestmark = pytest.mark.slow

DAY = 86_400
BUILDS = ("5.9", "5.10", "6.0")
RULES = (
    SequentialRule(name="s", detector="sequential", bin_seconds=60, false_alarm_days_per_code=1, history_seconds=3000),
    Rule(name="d", detector="mean_difference", bin_seconds=60, window_bins=(2, 5), threshold=0.05),
)
ALERTS = """
select rule, code, start_ts, stop_ts, value, baseline_errors, candidate_errors, ratio, exposure
from alerts where state = 'current' and baseline like '%earlier'
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def two_days(dice: random.Random) -> list[Record]:
    """An hour and a half on each of two days; on the second some codes are more frequent."""
    rates = {code: dice.choice((0.02, 0.1, 0.3)) for code in ("7", "E", "404", "-17")}
    worse = {code: dice.choice((1, 1, 3, 10)) for code in rates}
    found = []
    for begin, ratios in ((0, dict.fromkeys(rates, 1)), (DAY, worse)):
        for code, rate in rates.items():
            for _ in range(round(5400 * rate * ratios[code])):
                found.append(Record(MONDAY + begin + dice.randrange(5400), dice.choice(BUILDS), code))
    return sorted(found)


@tries(10)
@given(st.integers(0, 10**9))
def test_it_is_a_comparison_of_builds_that_were_named_so(store: Connection, seed: int) -> None:
    """As if all of a pattern had been one build, and another one had sent the same a day later."""
    dice = random.Random(seed)
    records, like = two_days(dice), dice.choice(("*", "5.*", "5.9"))
    note(f"{like=} {len(records)} records")
    matched = [r for r in records if like == "*" or r.build.startswith(like.removesuffix("*"))]
    clear(store)
    load(store, records)
    earlier = Comparison.model_validate({"baseline": "earlier", "builds": like, "min_ratio": 2})
    passes.judge(store, Config(comparison=(earlier,), rule=RULES), clock)
    found = select(store, ALERTS)
    clear(store)
    load(store, [Record(r.second, like, r.code) for r in matched])
    load(store, [Record(r.second + DAY, f"{like} a day earlier", r.code) for r in matched])
    named = Comparison(baseline=f"{like} a day earlier", candidate=like, exposure="estimated")
    rules = tuple(r.model_copy(update={"min_ratio": 2.0}) if isinstance(r, SequentialRule) else r for r in RULES)
    passes.judge(store, Config(comparison=(named,), rule=rules), clock)
    assert found == select(store, ALERTS)


@tries(5)
@given(st.integers(0, 10**9))
def test_the_order_of_records_does_not_matter(store: Connection, seed: int) -> None:
    dice = random.Random(seed)
    records = two_days(dice)
    config = Config(comparison=(Comparison(baseline="earlier"),), rule=RULES)
    clear(store)
    load(store, records)
    passes.judge(store, config, clock, portion_seconds=dice.choice((1800, DAY)))
    at_once = select(store, ALERTS)
    clear(store)
    dice.shuffle(records)
    for part in range(4):
        load(store, records[part::4])
        passes.judge(store, config, clock)
    assert select(store, ALERTS) == at_once


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseDay:
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    return ReleaseDay.at(tmp_path)


OPENED_EARLIER = "select baseline, code from incidents where baseline like '%earlier' order by code"


def test_a_build_that_replaces_another_at_once_is_compared_with_that_a_day_earlier(day: ReleaseDay) -> None:
    day.play(24 * 60 + 30, {"1.0": scaled(1)}, at_once=True)
    day.play(25, {"1.1": scaled(1, login=4)}, every=5)
    assert day.changes() == [("OPENED", "login", "1.1")]
    ((minute, line),) = day.printed
    assert minute <= 24 * 60 + 45
    assert "  1.0 a day earlier -> 1.1  " in line
    assert not [line for _, line in day.reported if "can no longer be judged" in line]
    # Later a few clients are found to have stayed with the old build.
    for minutes in (20, 60, 60):
        day.play(minutes, {"1.1": scaled(1, login=4)}, at_once=True)
        day.play(2, {"1.1": scaled(1, login=4)}, [Record(MONDAY + 60 * day.minute, "1.0", "login")])
    assert [line.split()[0] for _, line in day.printed if "a day earlier" in line] == ["OPENED"]
    assert day.judged()["1.0 a day earlier", "1.1"] >= day.minute - 1


def test_whether_anything_got_worse_since_yesterday(day: ReleaseDay) -> None:
    """Nothing was released; the traffic is half as much again."""
    day.config = day.config.model_copy(update={"comparison": (Comparison(), Comparison(baseline="earlier"))})
    day.play(26 * 60, {"1.0": scaled(1), "1.1": scaled(0.5)}, at_once=True)
    day.play(30, {"1.0": scaled(1.5, login=3), "1.1": scaled(0.75, login=3)}, every=5)
    assert day.rows(OPENED_EARLIER) == [("* a day earlier", "login")]
    assert [line.split()[0] for _, line in day.printed] == ["OPENED"]
    assert " * a day earlier -> *  " in day.printed[0][1]


def test_none_where_that_is_not_wanted(day: ReleaseDay) -> None:
    day.config = day.config.model_copy(update={"comparison": (Comparison(lag_days=0),)})
    day.play(24 * 60 + 30, {"1.0": scaled(1)}, at_once=True)
    day.play(15, {"1.1": scaled(1, login=4)}, at_once=True)
    assert day.printed == []
    assert [line for _, line in day.reported if "can no longer be judged" in line]


def test_users_of_a_real_service_come_and_go() -> None:
    """Requests to a load balancer in production, each day of three held against the day before: no incident.

    What is three times as frequent is found within 3 minutes at 1/s and 20 at .1/s, by half of the 30 codes.
    """
    weeks = some_codes(FAMILIES["earlier-requests"].stream(0), 10)
    layers = [
        replace(a, **{s: getattr(a, s)[:, : 3 * DAY_BINS] for s in ("baseline", "candidate")}) for a in weeks.layers
    ]
    assert ours.sequential(replace(weeks, layers=tuple(layers), passes=(3 * DAY,))).incident.size == 0
    for name, seconds in (("earlier-requests-1-x3", 180), ("earlier-requests-0.1-x3", 1200)):
        streams = [FAMILIES[name].stream(number) for number in range(3)]
        tallies = [measure.tally(stream, ours.sequential(stream)) for stream in streams]
        assert reduce(add, tallies).delay_quantile(0.5) <= seconds
