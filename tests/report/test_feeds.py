"""How the feed of each source goes: its newest record, when that came, and whether it has fallen silent."""

from collections.abc import Iterable
from dataclasses import astuple
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from streammetrics.config import Config, Source
from streammetrics.report import status
from streammetrics.store.connection import Store

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 23, 12)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Delivery = tuple[datetime, datetime, int]
"""When it came, its newest record, how many records."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("feeds") / "s.duckdb")
    with store.write():
        pass
    return store


def feeds(store: Store, deliveries: Iterable[Delivery], now: datetime, *sources: Source) -> list[tuple[object, ...]]:
    """The feeds by source, where `clients` sent these."""
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql("delete from batches")
        connection.exec_driver_sql(
            "insert into batches (batch_id, source, path, range_start, range_end, fingerprint, modified_ns, records,\n"
            "    rejected, max_ts, loaded_at) values (nextval('batch_ids'), 'clients', '', 0, 0, '', 0, ?, 0, ?, ?)",
            [(records, last, came) for came, last, records in deliveries],
        )
    config = Config(source=sources or (Source(name="clients", path="none/*"),))
    return [astuple(feed) for feed in status.collect(store, config, now).feeds]


DELIVERED = [(NOON - minutes * MINUTE, NOON - minutes * MINUTE - MINUTE / 6, 600) for minutes in (60, 5, 0)]
LAST = NOON - MINUTE / 6


@pytest.mark.parametrize(
    ("settings", "waited", "is_silent"),
    [({}, HOUR, False), ({}, HOUR + MINUTE, True), ({"silent_after_seconds": 100_000}, 27 * HOUR, False),
     ({"silent_after_seconds": 60}, 2 * MINUTE, True)],
)  # fmt: skip
def test_a_source_is_silent_after_so_many_seconds(
    store: Store, settings: dict[str, int], waited: timedelta, is_silent: bool
) -> None:
    source = Source(name="clients", path="none/*", **settings)  # type: ignore[arg-type]
    assert feeds(store, DELIVERED, NOON + waited, source) == [("clients", LAST, NOON, is_silent)]


def test_only_newer_records_end_a_silence(store: Store) -> None:
    older = [(NOON + 2 * HOUR, LAST, 600), (NOON + 2 * HOUR, LAST - HOUR, 600), (NOON + 2 * HOUR, LAST + HOUR, 0)]
    assert feeds(store, [*DELIVERED, *older], NOON + 2 * HOUR) == [("clients", LAST, NOON, True)]
    newer = (NOON + 2 * HOUR, LAST + MINUTE, 1)
    assert feeds(store, [*DELIVERED, newer], NOON + 2 * HOUR) == [("clients", LAST + MINUTE, NOON + 2 * HOUR, False)]


def test_a_record_ahead_of_the_clock_hides_no_later_ones(store: Store) -> None:
    ahead = (NOON - HOUR, NOON - 5 * MINUTE, 600)
    limit = Source(name="clients", path="none/*", silent_after_seconds=600)
    (found,) = feeds(store, [ahead, *DELIVERED[1:]], NOON + MINUTE, limit)
    assert found == ("clients", LAST, NOON, False)
    delivered = [(NOON - 2 * HOUR, NOON + HOUR, 600), (NOON, LAST, 600)]
    (found,) = feeds(store, delivered, NOON + MINUTE, limit)
    assert found == ("clients", NOON + HOUR, NOON, False)


def test_a_feed_whose_files_wait_is_not_silent(store: Store, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("ts,build,code\n")
    found = feeds(store, DELIVERED, NOON + 2 * HOUR, Source(name="clients", path=str(tmp_path / "*")))
    assert found == [("clients", LAST, NOON, False)]


def test_only_configured_sources_that_have_sent_are_named(store: Store) -> None:
    others = Source(name="others", path="none/*")
    assert feeds(store, DELIVERED, NOON, others) == []
    assert feeds(store, DELIVERED, NOON, others, Source(name="clients", path="none/*")) == [
        ("clients", LAST, NOON, False)
    ]
