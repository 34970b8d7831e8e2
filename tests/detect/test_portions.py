"""A pass costs what its records cost, not what the time between them does."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from streammetrics.config import Comparison, Config, Rule
from streammetrics.detect import alerts, passes
from streammetrics.detect.portions import SPARSE_COUNTERS, Portion, joined
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clear, clock, current_alerts, empty_store, load, select

DAY = 86400
RULE = Rule(name="difference", detector="mean_difference", bin_seconds=60, window_bins=(1, 5), threshold=0)
OUT_OF_MEMORY = OperationalError("select", None, duckdb.OutOfMemoryException("too many codes"))
CONFIG = Config(rule=(RULE,), comparison=(Comparison(baseline="5.9", candidate="5.10"),))


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def days(*found: tuple[int, int]) -> list[Portion]:
    return [Portion(day * DAY, (day + 1) * DAY, counters) for day, counters in found]


def test_portions_of_few_records_are_one() -> None:
    assert joined(days((0, 1), (1, 2), (29, 3), (30, 4)), 1) == [Portion(0, 30 * DAY, 6), *days((30, 4))]
    assert joined([], 1) == []


def test_portions_of_many_records_or_codes_stay_apart() -> None:
    many = days((0, SPARSE_COUNTERS - 1), (1, 1), (2, 1))
    assert joined(many, 1) == [Portion(0, 2 * DAY, SPARSE_COUNTERS), *many[2:]]
    assert joined(days((0, 200), (1, 100), (2, 0)), 250) == [Portion(0, 2 * DAY, 300), *days((2, 0))]


@pytest.mark.slow
def test_a_portion_that_memory_does_not_hold_is_judged_in_halves(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [Record(MONDAY + n, build, "7") for n in range(0, 7200, 7) for build in ("5.9", "5.10")]
    records += [Record(MONDAY + 3000 + n, "5.10", "7") for n in range(900)]
    clear(store)
    load(store, records)
    passes.judge(store, CONFIG, clock)
    expected, tried = current_alerts(store), []
    assert expected
    amend = alerts.amend

    def amend_short(connection: Connection, found: str, after: datetime, until: datetime, *args: Any, **kw: Any) -> Any:
        tried.append((until - after).seconds)
        if tried[-1] > 2000:
            raise OUT_OF_MEMORY
        return amend(connection, found, after, until, *args, **kw)

    monkeypatch.setattr(passes, "amend", amend_short)
    clear(store)
    load(store, records)
    passes.judge(store, CONFIG, clock)
    assert current_alerts(store) == expected
    assert len(tried) == 1 + 2 + 4
    assert select(store, "select count(*), count(distinct run_id) from runs where state = 'done'") == [(4, 4)]


@pytest.mark.slow
def test_a_portion_that_is_too_short_for_halves_fails(store: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def amend(*args: Any, **kw: Any) -> None:
        raise OUT_OF_MEMORY

    clear(store)
    load(store, [Record(MONDAY + n, build, "7") for n in range(1200) for build in ("5.9", "5.10")])
    monkeypatch.setattr(passes, "amend", amend)
    with pytest.raises(OperationalError, match="too many codes"):
        passes.judge(store, CONFIG, clock)
    assert select(store, "select * from runs") == []


@pytest.mark.slow
def test_a_record_a_day_is_judged_in_few_portions(store: Connection) -> None:
    """With the alerts of the day on which there are more."""
    busy = [Record(MONDAY - 40 * DAY + s, build, "7") for build in ("5.9", "5.10") for s in range(0, 1800, 30)]
    worse = [Record(MONDAY - 40 * DAY + s, "5.10", "7") for s in range(600, 900, 20)]
    rare = [Record(MONDAY - day * DAY, build, "7") for build in ("5.9", "5.10") for day in range(100)]
    found, numbers = [], []
    for portion_seconds in (None, DAY):
        clear(store)
        load(store, busy + worse + rare)
        done = passes.judge(store, CONFIG, clock, portion_seconds=portion_seconds)
        progress = "select judged_until, settled_until from progress"
        found.append((current_alerts(store), select(store, progress), select(store, "select * from incidents")))
        numbers.append(len(done.run_ids))
    assert found[0][:2] == found[1][:2]
    assert len(found[0][0]) > 5
    assert numbers[0] <= 8
    assert numbers[1] >= 99
