"""Nested objects of JSON lines: a dotted path in `columns`, and a key that holds the dot itself."""

import json
from typing import Any

import pytest

from streammetrics.errors import ConfigError
from streammetrics.sources.tail import Tail
from tests.ingest.feeding import Shop

pytestmark = pytest.mark.slow

COLUMNS = {"code": "error.code"}


def lines(*records: dict[str, Any]) -> str:
    rest = {"ts": "2026-11-23 10:00:00", "build": "5.9"}
    return "".join(json.dumps({**rest, **record}) + "\n" for record in records)


def codes(shop: Shop) -> list[str]:
    return [code for _, _, code in shop.events()]


@pytest.mark.parametrize("is_small", [True, False])
@pytest.mark.parametrize("name", ["errors.jsonl", "errors.ndjson.gz", "errors.jsonl.zst"])
def test_a_path_reads_an_object_in_an_object(
    shop: Shop, name: str, is_small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_small:
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    text = lines({"error": {"code": 7}}, {"error": {"code": "E_X", "more": []}})
    assert shop.feed_text(text, name, columns=COLUMNS).message == ""
    assert codes(shop) == ["7", "E_X"]


def test_all_three_at_any_depth(shop: Shop) -> None:
    text = json.dumps({"a": {"b": {"c": "2026-11-23 10:00:00"}, "v": "5.9"}, "x": {"": {"y": "7"}}}) + "\n"
    shop.feed_text(text, "errors.jsonl", columns={"ts": "a.b.c", "build": "a.v", "code": "x..y"})
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "7")]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"error.code": "literal", "error": {"code": "nested"}}, "literal"),
        ({"error.code": "", "error": {"code": "nested"}}, ""),
        ({"error": {"code": "nested"}}, "nested"),
    ],
)
def test_a_key_that_holds_the_dot_wins(shop: Shop, record: dict[str, Any], code: str) -> None:
    shop.feed_text(lines(record), "errors.jsonl", columns=COLUMNS)
    assert codes(shop) == [code]


def test_the_longest_key_that_holds_a_dot_wins(shop: Shop) -> None:
    text = lines({"a": {"b.c": "1", "b": {"c": "2"}}, "a.b": {"c": "3"}}, {"a": {"b.c": "4", "b": {"c": "5"}}})
    shop.feed_text(text, "errors.jsonl", columns={"code": "a.b.c"})
    assert codes(shop) == ["3", "4"]


def test_case_is_decided_by_the_first_objects(shop: Shop) -> None:
    shop.feed_text(lines({"Error": {"Code": "7"}}), "errors.jsonl", columns=COLUMNS)
    assert codes(shop) == ["7"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"error": {}}, "has no code"),
        ({"error": None}, "has no code"),
        ({"error": "code"}, "has no code"),
        ({"error": [{"code": 7}]}, "has no code"),
        ({"error.code": None, "error": {"code": 7}}, "has no code"),
        ({"error": {"code": {"x": 1}}}, "code is neither text nor a number"),
        ({"error": {"code": "\0"}}, "holds a NUL character"),
    ],
)
def test_what_is_not_there_is_a_reject(shop: Shop, record: dict[str, Any], reason: str) -> None:
    shop.feed_text(lines({"error": {"code": 7}}, record), "errors.jsonl", columns=COLUMNS)
    assert codes(shop) == ["7"]
    assert [(line, why) for line, why, _ in shop.rejects()] == [(2, reason)]


def test_nested_keys_are_no_columns_by_themselves_but_are_shown(shop: Shop) -> None:
    outcome = shop.feed_text(lines({"error": {"code": 7}}), "errors.jsonl")
    assert isinstance(outcome.error, ConfigError)
    assert 'no column for code; the columns found are: "ts", "build", "error", "error.code"; ' in outcome.message


def test_a_tail_and_a_time_format(shop: Shop) -> None:
    settings: dict[str, Any] = {
        "columns": {"ts": "at.local", "code": "error.code"},
        "time_format": "%d.%m.%Y %H:%M:%S",
    }
    record = {"at": {"local": "23.11.2026 10:00:00"}, "error": {"code": 7}}
    path = shop.write("errors.jsonl", lines(record).encode())
    shop.feed(**settings)
    with path.open("a") as stream:
        stream.write(lines({**record, "error": {"code": 8}}))
    shop.feed(**settings)
    assert codes(shop) == ["7", "8"]


def test_deep_nesting_costs_one_record(shop: Shop) -> None:
    deep = '{"a":' * 400 + "1" + "}" * 400
    text = lines({"error": {"code": 7}}) + deep + "\n"
    outcome = shop.feed_text(text, "errors.jsonl", columns=COLUMNS)
    assert (outcome.records, outcome.rejected) == (1, 1)


def test_a_key_that_comes_late_is_believed_where_it_is_named(shop: Shop) -> None:
    early = {"ts": "2026-11-23 10:00:00", "build": "5.9"}
    many = [early] * 1000
    columns = {"code": "error.code"}
    shop.feed_text(lines(*many, {**early, "error": {"code": 7}}), "late.jsonl", columns=columns)
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "7")]
    assert {reason for _, reason, _ in shop.rejects()} == {"has no code"}
    shop.clear()
    # Of a whole file that lacks it, it is a mistake.
    outcome = shop.feed_text(lines(*many), "never.jsonl", columns=columns)
    assert isinstance(outcome.error, ConfigError)
