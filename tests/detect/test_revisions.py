"""What late records change of an alert is not lost: the old values stay in `alert_revisions`."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from streammetrics.config import Config, Exposure, Rule, SequentialRule
from streammetrics.detect import passes
from tests.oracles.mean_rules import Record
from tests.sequential_streams import NEW, OLD, Feed, Flow, Regression
from tests.streams import MONDAY, clear, clock, empty_store, load, select

pytestmark = pytest.mark.slow

KEPT = """
select revision, state, value, candidate_errors, run_id < replaced_by_run_id, replaced_at
from alert_revisions order by alert_id, revision
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def judged(store: Connection, config: Config, *portions: list[Record]) -> None:
    clear(store)
    for portion in portions:
        load(store, portion)
        passes.judge(store, config, clock)


def test_old_values_of_an_alert_are_kept(store: Connection) -> None:
    rule = Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1,), threshold=1)
    even = [Record(MONDAY + second, build, "7") for build in (OLD, NEW) for second in range(0, 1000, 10)]
    surge = [Record(MONDAY + 500, NEW, "7")]
    portions = even + surge * 3, surge, [Record(MONDAY + 500, OLD, "7")] * 4, surge * 7
    judged(store, Config(rule=(rule,)), *portions)
    assert select(store, "select revision, state, value, candidate_errors from alerts") == [(3, "current", 7.0, 12)]
    assert select(store, KEPT) == [
        (0, "current", 3.0, 4, True, clock()),
        (1, "current", 4.0, 5, True, clock()),
        (2, "retracted", 4.0, 5, True, clock()),
    ]


def test_a_pass_that_changes_nothing_keeps_nothing(store: Connection) -> None:
    passes.judge(store, Config(), clock)
    before = select(store, "select * from alert_revisions")
    passes.judge(store, Config(), clock)
    assert select(store, "select * from alert_revisions") == before


def test_a_likelier_window_is_a_revision_of_the_same_alert(store: Connection) -> None:
    """Late records move the onset that `sequential` estimates: the judged bin has one alert, before and after."""
    rule = SequentialRule(
        name="a", detector="sequential", bin_seconds=10, history_seconds=1200, false_alarm_days_per_code=10
    )
    users = (Exposure(build=OLD, users=10.0), Exposure(build=NEW, users=10.0))
    stream = Regression(3000, (Flow("7", 0.5, 3, since=2400), Flow("404", 0.3)), (Feed(OLD), Feed(NEW)), seed=4)
    late = [Record(MONDAY + second, NEW, "7") for second in range(2200, 2400) for _ in range(2)]
    judged(store, Config(rule=(rule,), exposure=users), stream.records, late)
    sql = """
    select old.alert_id, old.window_bins as bins, new.window_bins as new_bins, new.state
    from alert_revisions as old inner join alerts as new using (alert_id)
    """
    moved = [row for row in select(store, sql) if row[1] != row[2]]
    assert len(moved) > 10
    assert {row[3] for row in moved} == {"current"}
    assert twins(store) == []


def twins(store: Connection) -> list[tuple[Any, ...]]:
    return select(store, "select code, stop_ts from alerts group by all having count(*) > 1")
