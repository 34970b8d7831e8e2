"""Compressed files, whole and damaged: what cannot be read is set aside with its reason, and reported once."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from streammetrics.errors import InputOutputError
from tests.ingest.feeding import THREE, THREE_EVENTS, Shop

pytestmark = pytest.mark.reliability

MORE = b"ts,build,code\n2026-11-23 11:00:00,5.10,7\n2026-11-23 11:00:01,5.10,8\n"
EVENTS = [*THREE_EVENTS, ("2026-11-23 11:00:00", "5.10", "7"), ("2026-11-23 11:00:01", "5.10", "8")]
DAMAGED = "select path, reason from rejects inner join batches using (batch_id, path) where range_end = 0 order by path"


def write_four(folder: Path) -> None:
    (folder / "whole.csv.gz").write_bytes(gzip.compress(THREE))
    (folder / "members.csv.gz").write_bytes(gzip.compress(MORE[:20]) + gzip.compress(MORE[20:]))
    (folder / "truncated.csv.gz").write_bytes(gzip.compress(THREE * 9)[:-9])
    (folder / "plain.csv.gz").write_bytes(THREE)


def test_two_are_read_and_two_are_quarantined(shop: Shop, record_property: Any) -> None:
    write_four(shop.folder)
    found = {outcome.path.name: outcome for outcome in shop.feed()}
    assert {name: outcome.state for name, outcome in found.items()} == {
        "members.csv.gz": "loaded",
        "plain.csv.gz": "failed",
        "truncated.csv.gz": "failed",
        "whole.csv.gz": "loaded",
    }
    assert shop.events() == EVENTS
    damaged = shop.rows(DAMAGED)
    assert [Path(path).name for path, _ in damaged] == ["plain.csv.gz", "truncated.csv.gz"]
    for path, reason in damaged:
        outcome = found[Path(path).name]
        assert isinstance(outcome.error, InputOutputError)
        assert reason == outcome.message
        assert "is damaged or not a whole gzip file, nothing of it was loaded" in reason
    record_property("seen", "2 read, 2 quarantined")


def test_they_are_reported_once_and_read_again_when_they_change(shop: Shop) -> None:
    write_four(shop.folder)
    shop.feed()
    assert {outcome.state for outcome in shop.feed()} == {"skipped"}
    (shop.folder / "plain.csv.gz").write_bytes(b"no better")
    assert [outcome.path.name for outcome in shop.feed() if outcome.state == "failed"] == ["plain.csv.gz"]
    assert len(shop.rows(DAMAGED)) == 2
    (shop.folder / "plain.csv.gz").write_bytes(gzip.compress(b"ts,build,code\n2026-11-23 09:00:00,5.9,9\n"))
    assert [outcome.records for outcome in shop.feed() if outcome.state == "loaded"] == [1]
    assert [Path(path).name for path, _ in shop.rows(DAMAGED)] == ["truncated.csv.gz"]
    assert shop.rows("select sum(rejected) from batches") == [(1,)]


def test_other_settings_are_a_reason_to_look_again(shop: Shop) -> None:
    write_four(shop.folder)
    shop.feed()
    assert [outcome.state for outcome in shop.feed(timezone="Asia/Kolkata")].count("failed") == 2
    assert len(shop.rows(DAMAGED)) == 2
