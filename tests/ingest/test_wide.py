"""`counters_wide`: one column per build and code, whatever their names."""

import pytest
from sqlalchemy import Connection

from streammetrics.ingest import counters_wide
from tests.ingest.feeding import Shop

HOSTILE = [
    'a"b',
    "a'b",
    "a;b",
    "a%b",
    "%s",
    "\U0001f4a5",
    'A"B',
    ":x",
    "\\",
    "\\'",
    "$1",
    "?",
    "{x}",
    "a\nb",
    "x" * 300,
    "--",
    "/*",
    "'); drop table codes; --",
    "second",
    "ß",
    "SS",
    "\u202e",
    "=1+1",
]


def test_columns_are_in_order_of_version_and_code_and_zeros_filled(shop: Shop) -> None:
    shop.feed_text(
        "ts,build,code\n2026-11-23 10:00:00,5.10,7\n2026-11-23 10:00:00.5,5.10,7\n"
        "2026-11-23 10:00:00,5.9,-17\n2026-11-23 10:00:02,5.9,10\n"
        "2026-11-23 10:00:02,5.9,7\n2026-11-23 10:00:02,5.9,-2\n"
    )
    with shop.connection.begin():
        found = shop.connection.exec_driver_sql("select * from counters_wide")
        assert list(found.keys()) == ["second", "5.9_-17", "5.9_-2", "5.9_7", "5.9_10", "5.10_7"]
        assert [(str(second), *errors) for second, *errors in found] == [
            ("2026-11-23 10:00:00", 1, 0, 0, 0, 2),
            ("2026-11-23 10:00:02", 0, 1, 1, 1, 0),
        ]
    types = shop.rows("select distinct column_type from (describe counters_wide) where column_name <> 'second'")
    assert types == [("BIGINT",)]


def test_codes_that_are_not_all_numbers_are_in_order_of_text() -> None:
    assert counters_wide.ordered([("1", "9"), ("1", "10"), ("1", "E_X")]) == [("1", "10"), ("1", "9"), ("1", "E_X")]
    assert counters_wide.ordered([("1", "9"), ("1", "010"), ("1", "-3")]) == [("1", "-3"), ("1", "9"), ("1", "010")]


def test_the_view_follows_new_codes_and_sums_late_batches(shop: Shop) -> None:
    shop.feed_text("ts,build,code\n2026-11-23 10:00:00,5.9,7\n", name="1.csv")
    shop.feed_text("ts,build,code\n2026-11-23 10:00:00,5.9,7\n2026-11-23 10:00:00,5.9,8\n", name="2.csv")
    assert shop.rows("select * exclude (second) from counters_wide") == [(2, 1)]


def test_the_view_is_made_only_for_new_pairs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    publish = counters_wide.publish

    def counted(connection: Connection) -> str:
        made.append("view")
        return publish(connection)

    monkeypatch.setattr(counters_wide, "publish", counted)
    shop.feed_text("ts,build,code\n2026-11-23 10:00:00,5.9,7\n", name="1.csv")
    shop.feed_text("ts,build,code\n2026-11-23 10:00:01,5.9,7\n", name="2.csv")
    assert len(made) == 1
    shop.feed_text("ts,build,code\n2026-11-23 10:00:01,5.9,9\n", name="3.csv")
    assert len(made) == 2


def test_hostile_names_are_only_names(shop: Shop) -> None:
    import json

    lines = [
        json.dumps({"ts": "2026-11-23 10:00:00", "build": build, "code": code})
        for number, build in enumerate(HOSTILE)
        for place, code in enumerate([*HOSTILE, ""])
        for _ in range(1 + (number * 31 + place) % 7)
    ]
    outcome = shop.feed_text("\n".join(lines), name="errors.jsonl")
    assert outcome.records == len(lines)
    with shop.connection.begin():
        found = shop.connection.exec_driver_sql("select * from counters_wide")
        columns, row = list(found.keys())[1:], list(found.one())[1:]
    pairs = counters_wide.ordered([(build, code) for build in HOSTILE for code in [*HOSTILE, ""]])
    assert columns == counters_wide.names(pairs)
    stored = {(build, code): errors for build, code, errors in shop.rows("select build, code, errors from counters")}
    assert dict(zip(pairs, row, strict=True)) == stored


def test_names_that_would_be_one_get_a_number() -> None:
    assert counters_wide.names([("a", "b_c"), ("A_b", "C"), ("a_B", "c"), ("x", "")]) == [
        "a_b_c",
        "A_b_C (2)",
        "a_B_c (3)",
        "x_",
    ]


def test_of_many_pairs_the_most_frequent_are_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters_wide, "MOST_COLUMNS", 3)
    codes = [1, 2, 2, 3, 3, 3, 4, 4, 4, 4]
    outcome = shop.feed_text("\n".join(["ts,build,code", *(f"2026-11-23 10:00:00,5.9,{code}" for code in codes)]))
    assert outcome.message == "counters_wide shows the 3 most frequent of 4 pairs of build and code"
    with shop.connection.begin():
        assert list(shop.connection.exec_driver_sql("select * from counters_wide").keys()) == [
            "second",
            "5.9_2",
            "5.9_3",
            "5.9_4",
        ]
