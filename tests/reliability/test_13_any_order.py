"""In whatever order records come, totals and alerts are those of the sorted stream; the future is quarantined."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.config import Config, DetectSettings
from streammetrics.detect import passes
from tests.ingest.feeding import Shop, shop_in
from tests.reliability.conftest import count
from tests.rules import REFERENCE

pytestmark = pytest.mark.reliability

START = datetime(2026, 11, 23, 8)
NOW = START + timedelta(hours=2)
WEEK = timedelta(days=7)
CONFIG = Config(rule=REFERENCE, detect=DetectSettings(lateness_seconds=5, merge_seconds=60, reopen_seconds=0))
Record = tuple[datetime, str, str]

COUNTERS = "select second, build, code, sum(errors)::bigint from counters group by all order by all"
ALERTS = """
select rule, baseline, candidate, code, window_bins, start_ts, stop_ts, value, baseline_errors, candidate_errors, ratio
from alerts where state = 'current' order by all
"""
INCIDENTS = (
    "select rule, baseline, candidate, code, start_ts, stop_ts, alerts, peak_value, state from incidents order by all"
)
OUTCOME = {
    "counters": COUNTERS,
    "alerts": ALERTS,
    "incidents": INCIDENTS,
    "builds": "select * from builds order by all",
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_in(tmp_path) as found:
        yield found


def stream(start: datetime, dice: random.Random) -> list[Record]:
    """Minutes of two builds; one code has more errors in the newer build for three of them."""
    found = []
    for second in range(count(600, 1800)):
        for build in ("5.9", "5.10"):
            worse = build == "5.10" and 300 <= second < 480
            codes = ["7"] * (1 + dice.randrange(2)) + ["404"] * (dice.random() < 0.3) + ["-17"] * (4 * worse)
            found += [(start + timedelta(seconds=second, microseconds=dice.randrange(10**6)), build, c) for c in codes]
    return found


def fed(shop: Shop, files: list[list[Record]], is_judged_each_time: bool) -> dict[str, Any]:
    """What the store says when these files have come one after the other."""
    shop.clear()
    with shop.connection.begin():
        for table in ("alerts", "alert_revisions", "progress", "pauses", "runs"):
            shop.connection.exec_driver_sql(f"delete from {table}")
    for place, records in enumerate(files):
        lines = "".join(f"{ts},{build},{code}\n" for ts, build, code in records)
        shop.feed_text("ts,build,code\n" + lines, f"{place}.csv", now=NOW)
        if is_judged_each_time or place == len(files) - 1:
            passes.judge(shop.connection, CONFIG, lambda: NOW)
    return {name: shop.rows(sql) for name, sql in OUTCOME.items()}


def dealt(records: list[Record], number: int, dice: random.Random) -> list[list[Record]]:
    """Shuffled into so many files."""
    shuffled = dice.sample(records, len(records))
    return [shuffled[place::number] for place in range(number)]


def test_shuffled_and_a_week_late_end_like_sorted(shop: Shop, record_property: Callable[[str, object], None]) -> None:
    orders = count(1, 40)
    for seed in range(orders):
        dice = random.Random(seed)
        now, before = stream(START, dice), stream(START - WEEK, dice)
        expected = fed(shop, [before + now], is_judged_each_time=False)
        assert len(expected["incidents"]) >= 4
        a_week_late = [now, *dealt(before, 2, dice)]
        shuffled = dealt(before + now, dice.randint(2, 4), dice)
        mixed = [now[::2], before[1::3], now[1::2], before[::3] + before[2::3]]
        for files in (a_week_late, shuffled, mixed):
            assert fed(shop, files, is_judged_each_time=True) == expected
    record_property("seen", f"{3 * orders} orders of {orders} streams of two stretches a week apart: all alike")


def test_the_future_is_quarantined_and_moves_nothing(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    dice = random.Random(13)
    now = stream(START, dice)
    expected = fed(shop, [now], is_judged_each_time=True)
    ahead = [(ts.replace(year=2036), build, code) for ts, build, code in dice.sample(now, 500)]
    ahead += [(NOW + timedelta(seconds=3600, microseconds=1), "9.9", "7")] * 30
    found = fed(shop, [*dealt(now + ahead, 3, dice), ahead], is_judged_each_time=True)
    assert found == expected
    rejected = shop.rows("select count(*), count(*) filter (reason like '%ahead of the clock%') from rejects")
    assert rejected == [(2 * len(ahead), 2 * len(ahead))]
    record_property("seen", f"{2 * len(ahead):,} records of the future rejected, alerts unchanged")


def test_an_hour_ahead_is_allowed_and_no_more(shop: Shop) -> None:
    latest = NOW + timedelta(hours=1)
    lines = "".join(f"{latest + timedelta(microseconds=late)},5.9,7\n" for late in (-1, 0, 1))
    outcome = shop.feed_text("ts,build,code\n" + lines, now=NOW)
    assert (outcome.records, outcome.rejected) == (2, 1)
