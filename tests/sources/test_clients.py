"""The client of each record, from a column that the settings name."""

import json
import sqlite3
from typing import Any

import polars
import pytest

from streammetrics.errors import ConfigError
from streammetrics.ingest import base_tables
from streammetrics.sources.tail import Tail
from tests.ingest.databases.feeding import Reader
from tests.ingest.feeding import NOW, Shop
from tests.sources.test_strata import write

COLUMN: dict[str, Any] = {"columns": {"client": "install_id"}}
NAMES = ("ts", "install_id", "build", "code")
ROWS = [
    ("2026-11-23 10:00:00", "3e5f-1", "5.9", "7"),
    ("2026-11-23 10:00:01", "", "5.9", "8"),
    ("2026-11-23 10:00:02", None, "5.9", "9"),
    ("2026-11-23 10:00:03", "x" * 1001, "5.9", "10"),
    ("2026-11-23 10:00:04", "3e5f-1", "", "11"),
]
FOUND = [("7", "3e5f-1"), ("8", None), ("9", None), ("10", "x" * 1000)]

CLIENTS = "select code, client from events order by ts"


@pytest.mark.parametrize("others", [{}, {"stratum": "platform"}], ids=["alone", "beside a stratum"])
@pytest.mark.parametrize("size", ["small", "large", "careful"])
@pytest.mark.parametrize("name", ["errors.csv", "quoted.csv", "errors.tsv", "errors.jsonl", "errors.parquet"])
def test_a_column_has_the_client(
    shop: Shop, name: str, size: str, others: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if size != "small":
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    if size == "careful":
        monkeypatch.setattr("streammetrics.sources.reader.plain_parameters", lambda *_, **__: {})
        monkeypatch.setattr("streammetrics.sources.texts.plain_parameters", lambda *_, **__: {})
    path = write(shop.folder / name, ("platform", *NAMES), [("ios", *row) for row in ROWS])
    shop.feed(path, columns={"client": "install_id", **others})
    assert shop.rows(CLIENTS) == FOUND
    assert [reason for _, reason, _ in shop.rejects()] == ["has no build"]


@pytest.mark.parametrize("name", ["errors.csv", "errors.jsonl", "errors.parquet"])
def test_records_with_clients_are_read_quickly(shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By DuckDB's own readers, not line by line."""
    monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    monkeypatch.setattr(base_tables, "stage", None)
    shop.feed(write(shop.folder / name, NAMES, ROWS[:2]), **COLUMN)
    assert shop.rows(CLIENTS) == FOUND[:2]


@pytest.mark.parametrize("name", ["errors.csv", "errors.jsonl", "errors.parquet"])
def test_no_column_is_the_client_by_its_name(shop: Shop, name: str) -> None:
    """It is personal data: users opt in."""
    shop.feed(write(shop.folder / name, ("ts", "client", "build", "code"), ROWS[:1]))
    assert shop.rows(CLIENTS) == [("7", None)]


def test_clients_by_position_of_files_read_together(shop: Shop) -> None:
    columns = {"ts": 1, "client": 2, "build": 3, "code": 4}
    for number in (1, 2):
        shop.write(f"{number}.csv", f"{NOW},c{number},5.9,{number}\n".encode())
    shop.feed(header=False, columns=columns)
    assert shop.rows("select code, client from events order by code") == [("1", "c1"), ("2", "c2")]


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(
    ("value", "client"),
    [("17", "17"), ("5.90", "5.9"), ('"5.90"', "5.90"), ("true", "true"), ('{"id": 1}', '{"id":1}'), ("null", None),
     ('"a\\u00e9\\\\"', "aé\\")],
)  # fmt: skip
def test_any_value_of_json_is_a_client(
    shop: Shop, value: str, client: str | None, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read quickly and with care alike: the second line has a time that needs it."""
    if size == "large":
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    lines = [f'{{"ts": "{ts}", "build": "5.9", "code": 1, "install_id": {value}}}\n' for ts in (NOW, f"{NOW}+00:00")]
    assert shop.feed_text("".join(lines), "errors.jsonl", **COLUMN).rejected == 0
    assert [found for _, found in shop.rows(CLIENTS)] == [client, client]


def test_other_types_of_parquet(shop: Shop) -> None:
    for number, value in enumerate([17, b"\xffa", [1]]):
        frame = polars.DataFrame({"ts": [NOW], "build": ["5.9"], "code": [number], "install_id": [value]})
        frame.write_parquet(path := shop.folder / f"{number}.parquet")
        assert shop.feed(path, **COLUMN)[0].records == 1
    assert shop.rows("select client from events order by code") == [("17",), ("\\xFFa",), ("[1]",)]


def test_a_column_of_a_database_has_the_client(shop: Shop) -> None:
    values: list[Any] = ["a", "", None, "x" * 1001, 17, b"\xff", "a\0b"]
    with sqlite3.connect(shop.folder / "e.db") as database:
        database.execute("create table errors (id integer primary key, ts, install_id, build, code)")
        rows = [(f"2026-11-23 10:00:{number:02}", value, "5.9", str(number)) for number, value in enumerate(values)]
        database.executemany("insert into errors (ts, install_id, build, code) values (?, ?, ?, ?)", rows)
    url = f"sqlite:///{shop.folder / 'e.db'}"
    reader = Reader(shop.connection, shop.folder, {"url": url, "table": "errors", **COLUMN})
    assert reader.ingest().rejected == 0
    found = [client for (client,) in shop.rows("select client from events order by ts")]
    assert found == ["a", None, None, "x" * 1000, "17", "ff", None]
    # No row is taken again, with or without a client.
    assert reader.ingest(overlap=100).state == "skipped"
    # With another column rows are recognized by their cursor.
    assert reader.ingest(columns={"client": "code"} | {"code": "install_id"}, overlap=100).state == "skipped"


def test_a_row_that_is_rejected_and_one_without_a_cursor(shop: Shop) -> None:
    with sqlite3.connect(shop.folder / "e.db") as database:
        database.execute("create table errors (id, ts, install_id, build, code)")
        rows = [(1, str(NOW), "a", "", "1"), (2, str(NOW), "b", "5.9", "2"), (None, str(NOW), "c", "5.9", "3")]
        database.executemany("insert into errors values (?, ?, ?, ?, ?)", rows)
    url = f"sqlite:///{shop.folder / 'e.db'}"
    reader = Reader(shop.connection, shop.folder, {"url": url, "table": "errors", **COLUMN})
    reader.ingest()
    assert shop.rows(CLIENTS) == [("2", "b")]
    assert [reason for _, reason, _ in reader.rejects()] == ["has no build", "has no id, the cursor"]


def test_a_column_that_is_missing(shop: Shop) -> None:
    outcome = shop.feed_text(f"ts,build,code\n{NOW},5.9,7\n", **COLUMN)
    assert isinstance(outcome.error, ConfigError)
    assert 'no column for client (set to "install_id"); the columns found are' in outcome.message
    record = {"ts": str(NOW), "build": "5.9", "code": 7}
    assert shop.feed_text(json.dumps(record), "errors.jsonl", **COLUMN).records == 1
    assert shop.rows(CLIENTS) == [("7", None)]


def test_a_header_further_down_moves_the_column(shop: Shop) -> None:
    text = f"ts,build,code,install_id\n{NOW},5.9,1,a\nts,install_id,build,code\n{NOW},b,5.9,2\n"
    shop.feed_text(text, **COLUMN)
    assert shop.rows("select code, client from events order by code") == [("1", "a"), ("2", "b")]
