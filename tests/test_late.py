"""What comes later than `late_limit_days` behind what was judged is counted, and has nothing judged anew."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from streammetrics import detect
from streammetrics.config import Comparison, Config, DetectSettings, Rule
from streammetrics.statements import run
from tests.oracle import Record
from tests.streams import MONDAY, clear, clock, current_alerts, empty_store, load, moment_of, select

DAY = 86400
OLD, NEW = "5.9", "5.10"
RULE = Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1,), threshold=1)
CONFIG = Config(
    rule=(RULE,),
    comparison=(Comparison(baseline=OLD, candidate=NEW),),
    detect=DetectSettings(late_limit_days=2),
)


@pytest.fixture(scope="module")
def one_store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


@pytest.fixture
def store(one_store: Connection) -> Connection:
    """Five days were judged."""
    clear(one_store)
    load(one_store, [record for day in range(5) for record in hour(day)])
    detect.judge(one_store, CONFIG, clock)
    return one_store


def hour(day: int) -> list[Record]:
    return [Record(MONDAY + day * DAY + s, build, "7") for s in range(0, 3600, 5) for build in (OLD, NEW)]


def errors(second: int, number: int = 20) -> list[Record]:
    return [Record(MONDAY + second, NEW, "7")] * number


def stops(store: Connection) -> set[int]:
    return {key.stop - MONDAY for key in current_alerts(store)}


def test_nothing_is_judged_anew_for_what_is_too_late(store: Connection) -> None:
    load(store, errors(2 * DAY + 1800))
    done = detect.judge(store, CONFIG, clock)
    assert (done.after, done.until, stops(store)) == (None, None, set())
    assert select(store, "select sum(errors)::bigint from counters where code = '7'") == [(5 * 1440 + 20,)]


def test_what_is_in_time_is_judged_and_what_is_too_late_beside_it_is_not(store: Connection) -> None:
    load(store, errors(DAY + 1800) + errors(3 * DAY + 1800) + hour(5))
    done = detect.judge(store, CONFIG, clock)
    assert stops(store) == {3 * DAY + 1800}
    assert done.after == MONDAY + 3 * DAY + 1800 - 3600


def test_what_was_never_judged_is_judged_however_old(store: Connection) -> None:
    """By other rules, or of another comparison."""
    load(store, errors(1800))
    detect.judge(store, CONFIG, clock)
    assert stops(store) == set()
    changed = CONFIG.model_copy(update={"rule": (RULE.model_copy(update={"threshold": 1.5}),)})
    detect.judge(store, changed, clock)
    assert stops(store) == {1800}


def test_status_counts_what_came_too_late(store: Connection) -> None:
    load(store, errors(DAY + 1800, 7) + errors(3 * DAY + 1800, 5))
    with store.begin():
        store.exec_driver_sql(
            "update batches set loaded_at = loaded_at + interval 1 minute\n"
            "where batch_id = (select max(batch_id) from batches)"
        )
    detect.judge(store, CONFIG, clock)

    def counted(since: timedelta) -> int:
        with store.begin():
            return int(run(store, "reports/late_records", {"since": clock() - since}).scalar_one())

    assert select(store, "select max(watermark) from runs") == [(moment_of(MONDAY + 4 * DAY + 3595),)]
    assert counted(timedelta(days=1)) == 7
    assert counted(timedelta(days=-1)) == 0
