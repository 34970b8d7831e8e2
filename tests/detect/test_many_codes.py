"""Codes that cannot have evidence enough cost next to nothing, and change no alert."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, SequentialRule
from streammetrics.detect import passes
from streammetrics.store.statements import statement
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clear, clock, empty_store, load, select, tries

pytestmark = pytest.mark.slow

RULE = SequentialRule(name="s", detector="sequential", false_alarm_days_per_code=1, history_seconds=3000)
ALERTS = """
select code, start_ts, stop_ts, value, threshold, baseline_errors, candidate_errors, ratio from alerts order by all
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def stream(dice: random.Random) -> list[Record]:
    """An hour and a half of codes of many rates; in the last half hour some are more frequent in the new build."""
    found = []
    for number in range(25):
        rate, times = 10 ** dice.uniform(-3.5, 0), dice.choice((1, 1, 1, 2, 5, 30))
        for build in ("5.9", "5.10"):
            for begin, length in ((0, 3600), (3600, 1800)):
                worse = times if build == "5.10" and begin else 1
                for _ in range(round(rate * length * worse * dice.uniform(0.8, 1.2))):
                    found.append(Record(MONDAY + begin + dice.randrange(length), build, f"E{number}"))
    return found


@tries(6)
@given(st.integers(0, 10**9), st.sampled_from(("equal", "estimated")), st.sampled_from((1, 1.5)))
def test_no_series_with_evidence_enough_is_left_out(
    store: Connection, seed: int, exposure: str, min_ratio: float
) -> None:
    records = stream(random.Random(seed))
    note(f"{len(records)} records")
    rule = RULE.model_copy(update={"min_ratio": min_ratio})
    config = Config.model_validate(
        {"rule": [rule.model_dump(exclude_defaults=True)], "comparison": [{"exposure": exposure}]}
    )
    found = []
    for text in (
        statement("jobs/find_prospects"),
        "select distinct series from bins where $since + $after is not null",
    ):
        clear(store)
        load(store, records)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(passes, "statement", lambda name, text=text: text if "prospects" in name else statement(name))
            passes.judge(store, config, clock, portion_seconds=1200)
        found.append((select(store, ALERTS), select(store, "select count(*) from kept_prospects")[0][0]))
    (alerts, prospects), (of_all, series) = found
    assert alerts == of_all
    assert prospects <= series


def test_codes_of_a_few_errors_are_left_out(store: Connection) -> None:
    common = [Record(MONDAY + second, build, "7") for second in range(0, 3600, 2) for build in ("5.9", "5.10")]
    rare = [Record(MONDAY + 3 * n, "5.10", f"id {n}") for n in range(1000)]
    worse = [Record(MONDAY + 1800 + second, "5.10", "8") for second in range(900)]
    clear(store)
    load(store, common + rare + worse)
    passes.judge(store, Config(rule=(RULE,), comparison=(Comparison(exposure="equal"),)), clock)
    assert select(store, "select distinct code from alerts") == [("8",)]
    assert select(store, "select count(*) from kept_prospects")[0][0] <= 2
