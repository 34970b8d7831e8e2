"""A feed that fell silent is told of, and one that only keeps its habits is not."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from streammetrics.config import Config, Source
from streammetrics.report import status
from streammetrics.store.connection import Store

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 23, 12)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Delivery = tuple[datetime, datetime, int]
"""When it came, its newest record, how many records."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("feeds") / "s.duckdb")
    with store.write():
        pass
    return store


def told(store: Store, deliveries: Iterable[Delivery], now: datetime, path: str = "none/*") -> str:
    """What `status` says of the source."""
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql("delete from batches")
        connection.exec_driver_sql(
            "insert into batches (batch_id, source, path, range_start, range_end, fingerprint, modified_ns, records,\n"
            "    rejected, max_ts, loaded_at) values (nextval('batch_ids'), 'clients', '', 0, 0, '', 0, ?, 0, ?, ?)",
            [(records, last, came) for came, last, records in deliveries],
        )
    config = Config(source=(Source(name="clients", path=path),))
    lines = status.render(status.collect(store, config, now)).splitlines()
    return next((line[11:] for line in lines if line.startswith("sources")), "")


def every(step: timedelta, since: datetime, until: datetime, records: int = 600) -> list[Delivery]:
    """A delivery a step, each with records up to ten seconds before it came."""
    moments = (since + number * step for number in range(1 + (until - since) // step))
    return [(came, came - timedelta(seconds=10), records) for came in moments]


@pytest.mark.parametrize(
    ("step", "waited", "is_silent"),
    [
        (MINUTE, 2 * MINUTE, False),
        (MINUTE, 5 * MINUTE, True),
        (HOUR, 10 * MINUTE, False),
        (HOUR, 110 * MINUTE, False),
        (HOUR, 125 * MINUTE, True),
        (DAY, 30 * HOUR, False),
        (DAY, 50 * HOUR, True),
    ],
)
def test_silence_is_measured_by_the_habit_of_the_feed(
    store: Store, step: timedelta, waited: timedelta, is_silent: bool
) -> None:
    deliveries = every(step, NOON - 12 * step, NOON)
    assert ("SILENT" in told(store, deliveries, NOON + waited)) == is_silent


def test_words_say_since_when_and_how_many_records_are_missing(store: Store) -> None:
    deliveries = every(MINUTE, NOON - HOUR, NOON)
    assert told(store, deliveries, NOON + 2 * MINUTE) == "clients: last record 2026-11-23 11:59:50, loaded 2 min ago"
    assert told(store, deliveries, NOON + 30 * MINUTE) == (
        "clients: SILENT since 2026-11-23 11:59:50: 18,100 records were to be expected, and at this time of day "
        "no pause is longer than 60 s"
    )


def test_nights_are_no_silence_and_days_are(store: Store) -> None:
    """It rests from 22 to 6 o'clock, so that a pause of hours is usual, but not at noon."""
    days = [
        day
        for number in range(-5, 0)
        for day in every(5 * MINUTE, NOON + number * DAY - 6 * HOUR, NOON + number * DAY + 10 * HOUR)
    ]
    assert "SILENT" not in told(store, days, NOON - 7 * HOUR)
    today = days + every(5 * MINUTE, NOON - 6 * HOUR, NOON)
    assert "SILENT" in told(store, today, NOON + HOUR)


def test_one_failure_is_not_a_habit(store: Store) -> None:
    yesterday = every(MINUTE, NOON - 28 * HOUR, NOON - 23 * HOUR)
    deliveries = yesterday + every(MINUTE, NOON - 18 * HOUR, NOON)
    assert "SILENT" in told(store, deliveries, NOON + HOUR)


def test_a_backlog_that_was_loaded_at_once_tells_its_habit_by_its_records(store: Store) -> None:
    """Thirty files of a day each, all within a minute: the next is awaited for days, not for seconds."""
    files = [(NOON + timedelta(seconds=n), NOON + (n - 30) * DAY, 600) for n in range(30)]
    assert "SILENT" not in told(store, files, NOON + 23 * HOUR)
    assert "SILENT" in told(store, files, NOON + 50 * HOUR)


def test_a_rare_feed_and_a_young_one_are_not_called_silent(store: Store) -> None:
    assert "SILENT" not in told(store, every(MINUTE, NOON - 5 * MINUTE, NOON, records=1), NOON + 15 * MINUTE)
    assert "SILENT" not in told(store, every(MINUTE, NOON - MINUTE, NOON), NOON + DAY)


def test_a_feed_whose_files_wait_is_not_silent(store: Store, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("ts,build,code\n")
    assert "SILENT" not in told(store, every(MINUTE, NOON - HOUR, NOON), NOON + HOUR, str(tmp_path / "*"))


def test_news_that_come_late_are_told(store: Store) -> None:
    deliveries = [*every(MINUTE, NOON - HOUR, NOON), (NOON + HOUR, NOON + MINUTE, 600)]
    assert told(store, deliveries, NOON + HOUR) == (
        "clients: last record 2026-11-23 12:01:00, which was 59 min old when it came (usually 10 s), loaded 0 s ago"
    )


def test_only_configured_sources_are_told_and_json_has_all(store: Store) -> None:
    told(store, every(MINUTE, NOON - HOUR, NOON), NOON)
    found = json.loads(status.as_json(status.collect(store, Config(), NOON)))
    assert found["feeds"] == []
    config = Config(source=(Source(name="clients", path="none/*"), Source(name="others", path="none/*")))
    (feed,) = json.loads(status.as_json(status.collect(store, config, NOON + HOUR)))["feeds"]
    assert feed == {
        "source": "clients", "last_ts": "2026-11-23 11:59:50", "loaded_at": "2026-11-23 12:00:00", "lag_seconds": 10,
        "usual_lag_seconds": 10, "usual_pause_seconds": 60, "expected_records": 36100, "is_silent": True,
        "is_late": False,
    }  # fmt: skip
