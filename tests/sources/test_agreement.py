"""A file that DuckDB's reader takes is read as record by record: one file, both ways, the same store."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.ingest import base_tables
from streammetrics.ingest.batch import Batch
from streammetrics.sources.reader import Reader
from streammetrics.sources.tail import Tail
from tests.ingest.feeding import Shop
from tests.streams import tries

PIECES = [
    "2026-11-23 10:00:00",
    "2026-11-23T10:00:00Z",
    "2026-11-23 10:00:00+02",
    "1795428000",
    "2026-11-23  9:00:00",
    "2031-01-01 00:00:00",
    "0:00:01",
    "5.9",
    "5.10",
    "7",
    "",
    '"',
    '""',
    '"5.9"',
    '"a,b"',
    '"a""b"',
    '"a\nb"',
    " ",
    "\t",
    ",",
    ",,",
    "\n",
    "\r\n",
    "\r",
    "é",
    "#",
    "\\",
    "\0",
    "'",
    ";",
]

fields = st.one_of(
    st.sampled_from(["5.9", "5.10", "7", "-17", "", '"x"', '"a,b"', '"a""b"', '""', "é", " x", '"a\nb"']),
    st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
)
times = st.one_of(st.sampled_from(PIECES[:5]), st.sampled_from(PIECES[:5]), st.sampled_from(PIECES))
rows = st.one_of(
    st.tuples(times, fields, fields).map(",".join),
    st.tuples(times, st.sampled_from(["5.9", "5.10"]), fields).map(",".join),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
)
ends = st.sampled_from(["\n", "\n", "\r\n", "\r"])


@st.composite
def files(draw: st.DrawFn) -> str:
    end, has_client = draw(ends), draw(st.booleans())
    lines = draw(st.lists(st.tuples(rows, fields).map(",".join) if has_client else rows, max_size=6))
    return end.join([HEADER + ",user" * has_client, *lines]) + draw(st.sampled_from(["", end]))


HEADER = "ts,build,code"

SETTINGS: list[dict[str, Any]] = [
    {},
    {"date": "2026-11-20"},
    {"timezone": "Asia/Kolkata"},
    {"time_format": "%Y-%m-%d %H:%M:%S"},
    {"header": False, "columns": {"ts": 1, "build": 2, "code": 3}},
]


class Ways:
    """Which way the last file was read: whether all of it needed no closer look, and whether that is forbidden."""

    def __init__(self) -> None:
        self.quick = 0
        self.is_careful = False


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    found, insert_large = Ways(), base_tables.insert_large

    def counted(connection: Connection, reader: Reader, batch: Batch) -> int:
        if found.is_careful:
            return insert_large(connection, replace(reader, plain={}), batch)
        inserted = insert_large(connection, reader, batch)
        found.quick += bool(reader.plain) and inserted == reader.rows
        return inserted

    monkeypatch.setattr(base_tables, "insert_large", counted)
    # Small files are all read with care.
    monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    return found


def stored(shop: Shop, text: str, **settings: Any) -> list[list[tuple[object, ...]]]:
    shop.clear()
    outcome = shop.feed_text(text, **settings)
    tables = {
        "events": "ts, build, code, client",
        "counters": "second, build, code, errors",
        "rejects": "line, reason, content",
        "batches": "records, rejected, min_ts, max_ts",
        "builds": "*",
    }
    found = [shop.rows(f"select {columns} from {table} order by all") for table, columns in tables.items()]
    assert len(found[0]) == outcome.records
    assert len(found[2]) == outcome.rejected
    return [*found, [(outcome.state, outcome.message)]]


is_small = Tail.is_small


@pytest.mark.slow
def test_random_files_are_read_alike(one_shop: Shop, ways: Ways, tmp_path_factory: pytest.TempPathFactory) -> None:
    one_shop.folder = tmp_path_factory.mktemp("alike")

    @tries(80)
    @given(
        files(),
        st.sampled_from(SETTINGS),
    )
    def alike(text: str, settings: dict[str, Any]) -> None:
        columns = {**settings.get("columns", {}), "client": "user"} if text.startswith(HEADER + ",user") else {}
        if "header" in settings:
            text = text.removeprefix(HEADER).removeprefix(",user").lstrip("\r\n")
            columns = columns and {**columns, "client": 4}
        settings = {**settings, "columns": columns} if columns else settings
        ways.is_careful = False
        quick = stored(one_shop, text, **settings)
        ways.is_careful = True
        assert stored(one_shop, text, **settings) == quick
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Tail, "is_small", is_small)
            assert stored(one_shop, text, **settings) == quick

    alike()
    assert ways.quick > 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "ts,build,code\n2026-11-23 10:00:00,5.9,7\n"),
        ("a.csv", "ts,build,code\r\n2026-11-23 10:00:00.5,5.9,7\r\n2026-11-23 10:00:00,5.9,\r\n"),
        ("a.csv", "ts,build,code\n2026-11-23T10:00:00Z,5.9,7"),
        ("a.csv", "# by hand\nts,build,code\n2026-11-23 10:00:00,5.9,7\n"),
        ("a.jsonl", '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": 7, "x": {}}\n'),
        ("a.jsonl", '{"ts":"2026-11-23 10:00:00","build":"5.9.1","code":"E_\u00e9"}\n'),
        ("a.jsonl", '{"ts":"2026-11-23 10:00:00","build":5,"code":"tee"}'),
    ],
)
def test_plain_files_are_read_quickly(shop: Shop, ways: Ways, name: str, text: str) -> None:
    assert shop.feed_text(text, name).rejected == 0
    assert ways.quick == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "ts,build,code\n2026-11-23 10:00:00,5.9,\0\n"),
        ("a.csv", "ts,build,code\n2026-11-23 10:00:00,,7\n"),
        ("a.csv", "ts,build,code\n2026-11-23 14:00:00,5.9,7\n"),
        ("a.csv", "ts,build,code\n1795428000,5.9,7\n2026-11-23 10:00:00+02,5.9,7"),
        ("a.jsonl", '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": true}\n'),
        ("a.jsonl", '{"ts": "2026-11-23 10:00:00", "build": "5.9.1", "code": "a\\u0000"}\n'),
    ],
)
def test_other_files_are_looked_at_closely(shop: Shop, ways: Ways, name: str, text: str) -> None:
    assert shop.feed_text(text, name).state == "loaded"
    assert ways.quick == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        "5.90",
        "true",
        "1e5",
        "4.04E2",
        "NaN",
        '"NaN"',
        "-Infinity",
        '"5.90"',
        '"true"',
        "[1]",
        "{}",
        "null",
        '"\\"5\\""',
        '"{}"',
        "-0",
        "12345678901234567890123",
    ],
)
@pytest.mark.parametrize("role", ["build", "code", "client"])
def test_json_values_are_read_alike(shop: Shop, ways: Ways, role: str, value: str) -> None:
    """Beside a plain line, first by the own reader, and each by a closer look."""
    columns = {"client": "client"} if role == "client" else {}
    for build in ('"5.9.1"', '"5.9"'):
        good = {"ts": '"2026-11-23 10:00:00"', "build": build, "code": "7"}
        lines = [", ".join(f'"{key}": {inner}' for key, inner in one.items()) for one in (good, {**good, role: value})]
        text = "".join(f"{{{line}}}\n" for line in lines)
        ways.is_careful = False
        quick = stored(shop, text, name="a.jsonl", columns=columns)
        ways.is_careful = True
        assert stored(shop, text, name="a.jsonl", columns=columns) == quick


@pytest.mark.slow
def test_many_portions_give_the_counters_of_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_tables, "_PORTION_RECORDS", 7)
    lines = [f"2026-11-23 10:{(n * 37) % 60:02}:{(n * 7) % 60:02}.25,5.{n % 3},{n % 2}" for n in range(500)]
    shop.feed_text("\n".join(["ts,build,code", *lines, *lines[:40], "1999-01-01 00:00:00,5.0,1"]))
    expected = shop.rows(
        "select date_trunc('second', ts), build, code, count(*), batch_id from events group by all order by all"
    )
    assert shop.rows("select * from counters order by all") == expected
    seconds = [second for (second,) in shop.rows("select second from counters order by rowid")]
    assert seconds == sorted(seconds)
