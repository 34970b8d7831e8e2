"""A date and a time of day in two columns are one time, whatever the format of the file."""

from typing import Any

import duckdb
import pytest

from streammetrics.config import Source
from streammetrics.errors import ConfigError
from streammetrics.sources.tail import Tail
from tests.ingest.feeding import Shop

TWO: dict[str, Any] = {"columns": {"ts": ["day", "clock"]}}
EVENTS = [("2026-11-23 10:00:00", "5.9", "404"), ("2026-11-23 10:00:01.500000", "5.10", "-17")]
LINES = "clock,build,day,code\n10:00:00,5.9,2026-11-23,404\n10:00:01.5,5.10,2026-11-23,-17\n"


@pytest.mark.parametrize("is_small", [True, False], ids=["careful", "quick"])
def test_csv(shop: Shop, is_small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_small:
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    assert shop.feed_text(LINES, **TWO).message == ""
    assert shop.events() == EVENTS


def test_positions(shop: Shop) -> None:
    by_position: dict[str, Any] = {"header": False, "columns": {"ts": [3, 1], "build": 2, "code": 4}}
    assert shop.feed_text(LINES.partition("\n")[2], **by_position).message == ""
    assert shop.events() == EVENTS


def test_json_lines(shop: Shop) -> None:
    text = (
        '{"at": {"day": "2026-11-23", "clock": "10:00:00"}, "build": "5.9", "code": 404}\n'
        '{"at": {"day": "2026-11-23", "clock": "10:00:01.5"}, "build": "5.10", "code": -17}\n'
        '{"at": {"day": "2026-11-23"}, "build": "5.10", "code": -17}\n'
    )
    shop.feed_text(text, "errors.jsonl", columns={"ts": ["at.day", "at.clock"]})
    assert shop.events() == EVENTS
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(3, "has no ts")]


@pytest.mark.parametrize(
    "kinds", [("date", "time"), ("varchar", "varchar"), ("date", "varchar"), ("timestamp", "time")]
)
def test_parquet(shop: Shop, kinds: tuple[str, str]) -> None:
    day, clock = kinds
    path = shop.folder / "x.parquet"
    duckdb.execute(
        f"copy (select '2026-11-23'::{day} as day, unnest(['10:00:00'::{clock}, '10:00:01.5'::{clock}]) as clock, "
        f"unnest(['5.9', '5.10']) as build, unnest([404, -17]) as code) to '{path}' (format parquet)"
    )
    assert [outcome.message for outcome in shop.feed(**TWO)] == [""]
    assert shop.events() == EVENTS


def test_a_format_and_a_zone_are_of_both(shop: Shop) -> None:
    text = "ts,day,build,code\n10:00:00,23.11.2026,5.9,404\n"
    settings: dict[str, Any] = {"time_format": "%d.%m.%Y %H:%M:%S", "timezone": "Europe/Berlin"}
    assert shop.feed_text(text, columns={"ts": ["day", "ts"]}, **settings).message == ""
    assert [ts for ts, *_ in shop.events()] == ["2026-11-23 09:00:00"]


def test_an_empty_time_is_a_reject(shop: Shop) -> None:
    shop.feed_text(f"{LINES},5.9,2026-11-23,7\n10:00:00,5.9,,8\n", **TWO)
    assert shop.events() == EVENTS
    assert [reason for _, reason, _ in shop.rejects()] == [
        "time cannot be read: a date without a time of day",
        "time cannot be read: a time of day, and the source sets no date",
    ]


def test_a_column_that_is_missing_is_named(shop: Shop) -> None:
    outcome = shop.feed_text("clock,build,code\n10:00:00,5.9,7\n", **TWO)
    assert isinstance(outcome.error, ConfigError)
    assert 'no column for ts (set to "day"); the columns found are: "clock", "build", "code"' in outcome.message


@pytest.mark.parametrize("columns", [["day"], ["day", "clock", "zone"], ["day", ""]])
def test_other_lists_are_no_columns(columns: list[str]) -> None:
    with pytest.raises(ValueError, match="is neither the name of a column"):
        Source.model_validate({"name": "x", "path": "*", "columns": {"ts": columns}})


def test_a_query_joins_those_of_a_database() -> None:
    with pytest.raises(ValueError, match="let query join them"):
        Source.model_validate({"name": "x", "url": "sqlite://", "table": "t", "cursor": "id", **TWO})
