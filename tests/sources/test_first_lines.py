"""A first line that is data; a delimiter that is not the file's; and files without a header."""

import codecs
import gzip
from typing import Any

import pytest

from streammetrics.errors import ConfigError
from streammetrics.sources.tail import Tail
from streammetrics.sources.times import looks_like_one
from tests.ingest.feeding import Shop

LINES = ["2026-11-23 10:00:00,5.9,404", "2026-11-23 10:00:01,5.10,-17"]
EVENTS = [("2026-11-23 10:00:00", "5.9", "404"), ("2026-11-23 10:00:01", "5.10", "-17")]
BY_POSITION: dict[str, Any] = {"header": False, "columns": {"ts": 1, "build": 2, "code": 3}}


def joined(lines: list[str], end: str = "\n") -> str:
    return "".join(line + end for line in lines)


def refused(shop: Shop, text: str, name: str = "errors.csv", **settings: Any) -> str:
    """Why a file is refused, without its path."""
    outcome = shop.feed_text(text, name, **settings)
    assert isinstance(outcome.error, ConfigError)
    assert shop.rows("select * from batches") == []
    return outcome.message.removeprefix(f"{shop.folder / name}: ")


@pytest.mark.slow
@pytest.mark.parametrize("is_small", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["errors.csv", "errors.csv.gz", "errors.tsv.zst"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_without_a_header_the_first_line_counts(
    shop: Shop, mark: bytes, name: str, end: str, is_small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_small:
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    text = joined(LINES, end).replace(",", "\t" if ".tsv" in name else ",")
    outcome = shop.feed_text(mark + text.encode(), name, **BY_POSITION)
    assert (outcome.message, shop.events()) == ("", EVENTS)


def test_utf16_without_a_header(shop: Shop) -> None:
    assert shop.feed_text(joined(LINES).encode("utf-16"), **BY_POSITION).records == 2
    assert shop.events() == EVENTS


def test_positions_in_any_order_among_others(shop: Shop) -> None:
    text = "host;5.9;;404;2026-11-23 10:00:00;\nhost;5.10;x;-17;2026-11-23 10:00:01\n"
    assert shop.feed_text(text, header=False, columns={"ts": 5, "build": 2, "code": 4}).message == ""
    assert shop.events() == EVENTS


def test_a_tail_without_a_header(shop: Shop) -> None:
    path = shop.write("errors.csv", joined(LINES[:1]).encode())
    shop.feed(**BY_POSITION)
    with path.open("a") as stream:
        # Another delimiter would be seen in this line alone.
        stream.write("2026-11-23 10:00:01,5.10,a;b;c;d\nx,5.9,7\n")
    (outcome,) = shop.feed(**BY_POSITION)
    assert (outcome.records, outcome.rejected) == (1, 1)
    assert [code for *_, code in shop.events()] == ["404", "a;b;c;d"]
    assert [line for line, *_ in shop.rejects()] == [3]


def test_rejects_without_a_header_have_the_lines_of_the_file(shop: Shop) -> None:
    shop.feed_text(joined(["", "x,5.9,7", LINES[0], "2026-11-23 10:00:02,5.9"]), **BY_POSITION)
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [
        (2, "time cannot be read"),
        (4, "expected 3 fields, found 2"),
    ]


@pytest.mark.parametrize("name", ["errors.jsonl", "errors.parquet"])
def test_other_files_have_no_positions(shop: Shop, name: str) -> None:
    text = '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": 7}\n'
    path = shop.write(name, text.encode())
    if name.endswith("parquet"):
        import duckdb

        duckdb.execute(f"copy (select now() as ts, '5.9' as build, 7 as code) to '{path}' (format parquet)")
    (outcome,) = shop.feed(path, **BY_POSITION)
    assert outcome.message == (
        f"{path}: is no CSV or TSV, and header = false of [[source]] 'feed' is for these alone: "
        "give such files a [[source]] of their own"
    )


def test_a_position_that_is_not_there(shop: Shop) -> None:
    settings = {**BY_POSITION, "columns": {"ts": 1, "build": 2, "code": 4}}
    assert refused(shop, joined(LINES), **settings) == (
        "the position of code is 4, and its first line has 3 fields by the delimiter ','; "
        "correct columns or delimiter of [[source]] 'feed'"
    )


@pytest.mark.parametrize(
    ("line", "field", "value", "example"),
    [
        ("2026-11-23 10:00:00,5.9,404", 1, "2026-11-23 10:00:00", "ts = 1, build = 2, code = 3"),
        ("2026-11-23T10:00:00Z,5.9,404", 1, "2026-11-23T10:00:00Z", "ts = 1, build = 2, code = 3"),
        ("5.9;28.11.2026 17:03:11;404", 2, "28.11.2026 17:03:11", "ts = 2, build = 1, code = 3"),
        ("h\tE_X\t5.9\t1795428000", 4, "1795428000", "ts = 4, build = 1, code = 2"),
        ("10:00:00|5.9|7", 1, "10:00:00", "ts = 1, build = 2, code = 3"),
        ("28/Nov/2026:17:03:11 +0100,5.9,7", 1, "28/Nov/2026:17:03:11 +0100", "ts = 1, build = 2, code = 3"),
    ],
)
def test_a_first_line_that_is_data_is_recognized(shop: Shop, line: str, field: int, value: str, example: str) -> None:
    assert refused(shop, f"{line}\n{line}\n") == (
        f"its first line is data and no header: field {field} is a time, {value!r}; set in [[source]] 'feed' of the "
        "configuration, beside its name and path, at which positions the columns are:\n"
        f"header = false\ncolumns = {{ {example} }}"
    )


@pytest.mark.parametrize("header", ["a,b,c", "ts,version_of,code", "build,code,2026-11-23", "timestamp,x,404"])
def test_a_header_is_none(shop: Shop, header: str) -> None:
    assert "the columns found are: " in refused(shop, f"{header}\n{LINES[0]}\n")


@pytest.mark.parametrize(
    ("header", "settings", "expected"),
    [
        ("ts;build;code", {"delimiter": ","}, ("','", "';'", ";")),
        ("ts,build,code", {"delimiter": "\t"}, ("tab", "','", ",")),
        ("ts\tbuild\tcode", {"delimiter": ";"}, ("';'", "tab", "\\t")),
        ("2026-11-23 10:00:00;5.9;7", {"delimiter": ","}, ("','", "';'", ";")),
        ("2026-11-23 10:00:00;5.9;7", {"delimiter": ",", **BY_POSITION}, ("','", "';'", ";")),
        ("ts^build^code", {}, ("one of ',', tab, ';', '|'", "'^'", "^")),
    ],
)
def test_a_delimiter_that_is_not_the_files(
    shop: Shop, header: str, settings: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    looked_for, seen, value = expected
    assert refused(shop, f"{header}\n", **settings) == (
        f"the delimiter, {looked_for}, is not found in its first line, which has {seen}: "
        f"set delimiter = \"{value}\" in [[source]] 'feed' of the configuration"
    )


def test_one_name_without_any_delimiter_is_a_column(shop: Shop) -> None:
    assert refused(shop, "Error Code\n7\n").startswith("no column for ts, build, code; the columns found are: ")


@pytest.mark.parametrize("text", ["2026-11-23", "23.11.2026", "11/23/2026", "9:05", "x 10:00:00 y", "1795428000.5"])
def test_what_people_write_looks_like_a_time(text: str) -> None:
    assert looks_like_one(text)


@pytest.mark.parametrize("text", ["", "5.9", "5.10.12", "2026.1", "-17", "E_TIMEOUT", "timestamp", "404", "10.0.0.1"])
def test_builds_codes_and_names_look_like_none(text: str) -> None:
    assert not looks_like_one(text)


def test_a_mended_source_reads_all(shop: Shop) -> None:
    path = shop.folder / "errors.csv.gz"
    path.write_bytes(gzip.compress(joined(LINES).encode()))
    assert shop.feed()[0].state == "failed"
    assert [outcome.records for outcome in shop.feed(**BY_POSITION)] == [2]
