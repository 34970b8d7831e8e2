"""A file that DuckDB's reader takes is read as record by record: one file, both ways, the same store."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.sources import readings
from streammetrics.sources.news import News
from streammetrics.sources.readings import Plan, Reading
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
    end = draw(ends)
    lines = ["ts,build,code", *draw(st.lists(rows, max_size=6))]
    return end.join(lines) + draw(st.sampled_from(["", end]))


SETTINGS: list[dict[str, Any]] = [
    {},
    {"date": "2026-11-20"},
    {"timezone": "Asia/Kolkata"},
    {"time_format": "%Y-%m-%d %H:%M:%S"},
    {"header": False, "columns": {"ts": 1, "build": 2, "code": 3}},
]


class Ways:
    """Which way the last file was read."""

    def __init__(self) -> None:
        self.quick = 0
        self.is_careful = False


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    from streammetrics.sources import load

    found, quick = Ways(), Plan.quick
    quickly = load.quickly

    def counted(connection: Connection, parts: Iterable[Reading], batch: load.Batch) -> None:
        quickly(connection, parts, batch)
        found.quick += 1

    def chosen(plan: Plan, *, is_plain: bool) -> Reading | None:
        return None if found.is_careful else quick(plan, is_plain=is_plain)

    monkeypatch.setattr(load, "quickly", counted)
    monkeypatch.setattr(readings.Plan, "quick", chosen)
    # Small files are all read with care.
    monkeypatch.setattr(News, "is_small", property(lambda news: news.start >= news.stop))
    return found


def stored(shop: Shop, text: str, **settings: Any) -> list[list[tuple[object, ...]]]:
    shop.clear()
    outcome = shop.feed_text(text, **settings)
    tables = {
        "events": "ts, build, code",
        "counters": "second, build, code, errors",
        "rejects": "line, reason, content",
        "batches": "records, rejected, min_ts, max_ts",
        "builds": "*",
    }
    found = [shop.rows(f"select {columns} from {table} order by all") for table, columns in tables.items()]
    assert len(found[0]) == outcome.records
    assert len(found[2]) == outcome.rejected
    return [*found, [(outcome.state, outcome.message)]]


def test_random_files_are_read_alike(one_shop: Shop, ways: Ways, tmp_path_factory: pytest.TempPathFactory) -> None:
    one_shop.folder = tmp_path_factory.mktemp("alike")

    @tries(80)
    @given(
        files(),
        st.sampled_from(SETTINGS),
    )
    def alike(text: str, settings: dict[str, Any]) -> None:
        if "header" in settings:
            text = text.removeprefix("ts,build,code").lstrip("\r\n")
        ways.is_careful = False
        quick = stored(one_shop, text, **settings)
        ways.is_careful = True
        assert stored(one_shop, text, **settings) == quick

    alike()
    assert ways.quick > 10


@pytest.mark.parametrize(
    "text",
    [
        "ts,build,code\n2026-11-23 10:00:00,5.9,7\n",
        "ts,build,code\r\n2026-11-23 10:00:00.5,5.9,7\r\n\r\n2026-11-23 10:00:00,5.9,\r\n",
        'ts,build,code\n"2026-11-23 10:00:00","5""9","a\nb"\n',
        "ts,build,code\n1795428000,5.9,7\n2026-11-23 10:00:00+02,5.9,7",
    ],
)
def test_clean_files_are_read_quickly(shop: Shop, ways: Ways, text: str) -> None:
    assert shop.feed_text(text).state == "loaded"
    assert ways.quick == 1


@pytest.mark.parametrize(
    "text",
    [
        "ts,build,code\r2026-11-23 10:00:00,5.9,7\r",
        "ts,build,code\n2026-11-23 10:00:00,5.9,7\r\n",
        'ts,build,code\n2026-11-23 10:00:00, "5.9",7\n',
        "ts,build,code\n2026-11-23 10:00:00,5.9,\0\n",
        "ts,build,code\n2026-11-23 10:00:00,,7\n",
        "ts,build,code\n2026-11-23 14:00:00,5.9,7\n",
    ],
)
def test_other_files_are_read_carefully(shop: Shop, ways: Ways, text: str) -> None:
    assert shop.feed_text(text).state == "loaded"
    assert ways.quick == 0


def test_many_portions_give_the_counters_of_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from streammetrics.sources import load

    monkeypatch.setattr(load, "_PORTION_RECORDS", 7)
    lines = [f"2026-11-23 10:{(n * 37) % 60:02}:{(n * 7) % 60:02}.25,5.{n % 3},{n % 2}" for n in range(500)]
    shop.feed_text("\n".join(["ts,build,code", *lines, *lines[:40], "1999-01-01 00:00:00,5.0,1"]))
    expected = shop.rows(
        "select date_trunc('second', ts), build, code, count(*), batch_id from events group by all order by all"
    )
    assert shop.rows("select * from counters order by all") == expected
    seconds = [second for (second,) in shop.rows("select second from counters order by rowid")]
    assert seconds == sorted(seconds)


def test_many_portions_are_read_carefully_as_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "_PORTION_RECORDS", 3)
    rows = [f"2026-11-23 10:00:{n:02},5.9,{n}" if n % 4 else f"2026-11-23 10:00:{n:02},,{n}" for n in range(12)]
    outcome = shop.feed_text("\r".join(["ts,build,code", *rows]))
    assert (outcome.records, outcome.rejected) == (9, 3)
    assert [code for _, _, code in shop.events()] == [str(n) for n in range(12) if n % 4]
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(n + 2, "has no build") for n in (0, 4, 8)]
    assert outcome.message.endswith("9 accepted, 3 rejected; line 2: has no build")
