"""`time_format`: times that are written otherwise, read alike by each reader and in each format of file."""

import codecs
import json
from pathlib import Path

import duckdb
import pytest

from tests.ingest.feeding import Shop

pytestmark = pytest.mark.slow

GERMAN = "%d.%m.%Y %H:%M:%S"
NAMES = ["errors.csv", "errors.csv.gz", "errors.tsv.zst", "errors.jsonl", "errors.parquet"]


def write(shop: Shop, name: str, texts: list[str], end: str = "\n") -> Path:
    """A file with these times; the number of each is its code."""
    if name.endswith("parquet"):
        path = shop.folder / name
        rows = [{"ts": text, "build": "5.9", "code": str(code)} for code, text in enumerate(texts)]
        source = shop.folder / ".rows.json"
        source.write_text(json.dumps(rows))
        columns = "{ts: 'VARCHAR', build: 'VARCHAR', code: 'VARCHAR'}"
        duckdb.execute(f"copy (from read_json('{source}', columns = {columns})) to '{path}' (format parquet)")
        return path
    if name.endswith("jsonl"):
        lines = [json.dumps({"ts": text, "build": "5.9", "code": code}) for code, text in enumerate(texts)]
    else:
        delimiter = "\t" if ".tsv" in name else ","
        rows_ = [["ts", "build", "code"], *([text, "5.9", str(code)] for code, text in enumerate(texts))]
        lines = [delimiter.join(row) for row in rows_]
    return shop.write(name, "".join(line + end for line in lines).encode())


@pytest.mark.parametrize("name", NAMES)
def test_times_of_that_form_are_read_and_others_are_rejected(shop: Shop, name: str) -> None:
    path = write(
        shop, name, ["22.11.2026 17:03:11", "2026-11-22 17:03:12", " 22.11.2026 17:03:13 ", "31.11.2026 1:0:0"]
    )
    (outcome,) = shop.feed(path, time_format=GERMAN)
    assert (outcome.records, outcome.rejected) == (2, 2)
    assert shop.events() == [("2026-11-22 17:03:11", "5.9", "0"), ("2026-11-22 17:03:13", "5.9", "2")]
    assert [reason for _, reason, _ in shop.rejects()] == [
        f"time cannot be read by time_format '{GERMAN}': '2026-11-22 17:03:12'",
        f"time cannot be read by time_format '{GERMAN}': '31.11.2026 1:0:0'",
    ]
    assert "time_format '%d.%m.%Y %H:%M:%S': '2026-11-22 17:03:12'" in outcome.message


CASES = [
    (GERMAN, "Europe/Berlin", "01.07.2026 12:00:00", "2026-07-01 10:00:00"),
    (f"{GERMAN} %z", "Europe/Berlin", "01.07.2026 12:00:00 -0100", "2026-07-01 13:00:00"),
    (f"{GERMAN} %Z", "UTC", "01.07.2026 12:00:00 Asia/Kolkata", "2026-07-01 06:30:00"),
    ("%d %b %Y %I:%M:%S.%f %p", "UTC", "1 Jul 2026 1:00:00.25 PM", "2026-07-01 13:00:00.250000"),
    ("%Y-%d-%m %H:%M:%S", "UTC", "2026-02-01 12:00:00", "2026-01-02 12:00:00"),
    ("%Y%m%d%H%M%S", "UTC", "20260701120000", "2026-07-01 12:00:00"),
    ("%d.%m.%y %H:%M", "UTC", "01.07.26 12:00", "2026-07-01 12:00:00"),
    ("100%% %d.%m.%Y %H:%M", "UTC", "100% 01.07.2026 12:00", "2026-07-01 12:00:00"),
]


@pytest.mark.parametrize("name", ["quick.csv", "careful.csv", *NAMES[3:]])
@pytest.mark.parametrize(("time_format", "timezone", "text", "expected"), CASES)
def test_formats_and_zones(
    shop: Shop, name: str, time_format: str, timezone: str, text: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small files are all read with care; a CR is nothing for DuckDB's reader.
    from streammetrics.sources.tail import Tail

    monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    path = write(shop, name, [text], "\r" if name.startswith("careful") else "\n")
    (outcome,) = shop.feed(path, time_format=time_format, timezone=timezone)
    assert (outcome.message, shop.events()) == ("", [(expected, "5.9", "0")])


@pytest.mark.parametrize(
    "text", ["epoch", "infinity", "-infinity", "now", "22.11.26 17:03:11", "1795428000", "17:03:11"]
)
def test_nothing_else_is_a_time(shop: Shop, text: str) -> None:
    write(shop, "errors.csv", ["22.11.2026 17:03:11", text])
    shop.feed(time_format=GERMAN)
    assert len(shop.events()) == 1
    assert [reason for _, reason, _ in shop.rejects()] == [f"time cannot be read by time_format '{GERMAN}': '{text}'"]


def test_what_is_shown_of_a_value_is_cut(shop: Shop) -> None:
    write(shop, "errors.csv", ["x" * 500])
    shop.feed(time_format=GERMAN)
    assert [reason for _, reason, _ in shop.rejects()] == [
        f"time cannot be read by time_format '{GERMAN}': '{'x' * 60}'"
    ]


def test_an_hour_that_the_clock_shows_twice_is_rejected(shop: Shop) -> None:
    write(shop, "errors.csv", ["25.10.2026 02:30:00"])
    shop.feed(time_format=GERMAN, timezone="Europe/Berlin")
    assert [reason for _, reason, _ in shop.rejects()] == [
        "time cannot be read: this local time does not exist, or occurs twice, in Europe/Berlin"
    ]


@pytest.mark.parametrize(
    "value", ["timestamp '2026-11-22 17:03:11'", "timestamptz '2026-11-22 17:03:11Z'", "1795366991"]
)
def test_times_and_numbers_of_parquet_need_no_format(shop: Shop, value: str) -> None:
    path = shop.folder / "errors.parquet"
    duckdb.execute(f"copy (select {value} as ts, '5.9' as build, 7 as code) to '{path}' (format parquet)")
    assert [outcome.message for outcome in shop.feed(path, time_format=GERMAN)] == [""]
    assert shop.events() == [("2026-11-22 17:03:11", "5.9", "7")]


def test_a_byte_order_mark_and_a_tail(shop: Shop) -> None:
    path = shop.write("errors.csv", codecs.BOM_UTF8 + b"ts,build,code\n22.11.2026 17:03:11,5.9,7\n")
    shop.feed(time_format=GERMAN)
    with path.open("ab") as stream:
        stream.write(b"22.11.2026 17:03:12,5.9,8\n")
    shop.feed(time_format=GERMAN)
    assert shop.events() == [("2026-11-22 17:03:11", "5.9", "7"), ("2026-11-22 17:03:12", "5.9", "8")]


def test_a_file_of_rejects_is_read_again_once_the_format_is_set(shop: Shop) -> None:
    write(shop, "errors.csv", ["22.11.2026 17:03:11"])
    assert shop.feed()[0].records == 0
    assert shop.feed(time_format=GERMAN)[0].records == 1
