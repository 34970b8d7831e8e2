"""What stands before a header, a second header further down, and blanks behind delimiters."""

import codecs
from typing import Any

import pytest

from streammetrics.errors import ConfigError
from streammetrics.sources.encoding import PORTION_BYTES, examine
from streammetrics.sources.tail import Tail
from tests.ingest.feeding import Shop

HEADER = "ts,build,code"
LINES = ["2026-11-23 10:00:00,5.9,E1", "2026-11-23 10:00:01,5.10,E2"]
EVENTS = [("2026-11-23 10:00:00", "5.9", "E1"), ("2026-11-23 10:00:01", "5.10", "E2")]
SWAPPED = ["ts,code,build", "2026-11-23 10:00:02,E3,5.9"]
AGAIN = "is a header: columns are read by it from here on"


@pytest.fixture(params=["careful", "quick"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "quick":
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    return str(request.param)


def joined(*lines: str, end: str = "\n") -> str:
    return "".join(line + end for line in lines)


@pytest.mark.slow
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "before",
    [
        ["# made by exporter 3.1"],
        ["# a, b, c", "", "#ts", '# an open " quote'],
        ["sep=,"],
        ['"sep=,"'],
        ["# ; of a comment is no delimiter; ; ;", "Sep=,", "# and on"],
    ],
)
def test_lines_before_the_header_are_none(shop: Shop, before: list[str], end: str) -> None:
    outcome = shop.feed_text(codecs.BOM_UTF8 + joined(*before, HEADER, *LINES, end=end).encode())
    assert (outcome.message, shop.events()) == ("", EVENTS)


@pytest.mark.usefixtures("way")
def test_they_are_counted_as_lines(shop: Shop) -> None:
    shop.feed_text(joined("# one", "", "sep=,", HEADER, LINES[0], "x,5.9,7"))
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(6, "time cannot be read")]


@pytest.mark.usefixtures("way")
def test_the_delimiter_that_is_named_is_meant(shop: Shop) -> None:
    shop.feed_text("sep=^\nts^build^code\n2026-11-23 10:00:00^5.9^a;b,c\n")
    assert [code for *_, code in shop.events()] == ["a;b,c"]
    shop.clear()
    shop.feed_text("sep=;\n# x\n2026-11-23 10:00:00;5.9;E1\n", header=False, columns={"ts": 1, "build": 2, "code": 3})
    assert shop.events() == EVENTS[:1]


def test_the_setting_goes_before_it(shop: Shop) -> None:
    shop.feed_text("sep=;\nts,build,code\n2026-11-23 10:00:00,5.9,a;b\n", delimiter=",")
    assert [code for *_, code in shop.events()] == ["a;b"]


def test_a_header_may_begin_with_the_sign_of_comments(shop: Shop) -> None:
    columns = {"ts": "#ts", "build": "build", "code": "code"}
    shop.feed_text(joined("# made by exporter", "#ts,build,code", *LINES), columns=columns)
    assert shop.events() == EVENTS


@pytest.mark.slow
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("before", [["# one", "sep=,"], []])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_file_that_grows_behind_them(shop: Shop, before: list[str], codec: str) -> None:
    path = shop.write("errors.csv", joined(*before, HEADER, LINES[0]).encode(codec))
    shop.feed()
    more = joined(LINES[1], "x,5.9,7").encode(codec)
    with path.open("ab") as stream:
        stream.write(more.removeprefix(codecs.BOM_UTF16_LE))
    shop.feed()
    assert shop.events() == EVENTS
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(len(before) + 4, "time cannot be read")]


def test_a_comment_further_down_is_a_reject(shop: Shop) -> None:
    shop.feed_text(joined(HEADER, LINES[0], "# a comment", LINES[1]))
    assert shop.events() == EVENTS
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(3, "expected 3 fields, found 1")]


@pytest.mark.slow
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("second", "line"),
    [
        ("ts,build,code", "2026-11-23 10:00:02,5.9,E3"),
        ("code,build,ts", "E3,5.9,2026-11-23 10:00:02"),
        ("build,ts,code", "5.9,2026-11-23 10:00:02,E3"),
        (" TS,Code,Build", "2026-11-23 10:00:02,E3,5.9"),
        ("time,error_code,version", "2026-11-23 10:00:02,E3,5.9"),
        ("host,time,error_code,version", "h,2026-11-23 10:00:02,E3,5.9"),
        ("ts,host,code,build", "2026-11-23 10:00:02,h,E3,5.9"),
    ],
)
def test_a_second_header_holds_from_there_on(shop: Shop, second: str, line: str) -> None:
    shop.feed_text(joined(HEADER, *LINES, second, line))
    assert shop.events() == [*EVENTS, ("2026-11-23 10:00:02", "5.9", "E3")]
    assert shop.rejects() == [(4, AGAIN, second)]


@pytest.mark.slow
@pytest.mark.usefixtures("way")
def test_a_second_header_holds_for_what_is_added_later(shop: Shop) -> None:
    path = shop.write("errors.csv", joined("sep=,", HEADER, LINES[0]).encode())
    shop.feed()
    for lines in (SWAPPED, ["2026-11-23 10:00:03,E4,5.9"], ["", "x,E5,5.9"], ["2026-11-23 10:00:04,E6,5.9"]):
        with path.open("a") as stream:
            stream.write(joined(*lines))
        shop.feed()
    assert [(build, code) for _, build, code in shop.events()] == [("5.9", f"E{n}") for n in (1, 3, 4, 6)]
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(4, AGAIN), (8, "time cannot be read")]


@pytest.mark.parametrize("is_second", [False, True])
def test_files_that_are_read_together_have_headers_of_their_own(shop: Shop, is_second: bool) -> None:
    texts = [joined(HEADER, LINES[0], *SWAPPED), joined(HEADER, LINES[1])]
    for name, text in zip("ab", reversed(texts) if is_second else texts, strict=True):
        shop.write(f"{name}.csv", text.encode())
    shop.feed()
    assert shop.rows("select path like '%b.csv', line, reason from rejects") == [(is_second, 3, AGAIN)]
    assert shop.events() == [*EVENTS, ("2026-11-23 10:00:02", "5.9", "E3")]
    for name in "ab":
        with (shop.folder / f"{name}.csv").open("a") as stream:
            stream.write("2026-11-23 10:00:03,6,6.1\n")
    shop.feed()
    assert shop.events()[3:] == [("2026-11-23 10:00:03", "6", "6.1"), ("2026-11-23 10:00:03", "6.1", "6")]


@pytest.mark.usefixtures("way")
def test_behind_a_header_that_lacks_a_column_nothing_counts(shop: Shop) -> None:
    path = shop.write("errors.csv", joined(HEADER, *LINES, "ts,code,release", SWAPPED[1]).encode())
    shop.feed()
    what = "is a header without a column for build"
    assert shop.events() == EVENTS
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [
        (4, what),
        (5, f"stands after line 4, which {what}"),
    ]
    with path.open("a") as stream:
        stream.write(joined(SWAPPED[1]))
    (outcome,) = shop.feed()
    assert isinstance(outcome.error, ConfigError)
    assert 'no column for build; the columns found are: "ts", "code", "release"' in outcome.message


@pytest.mark.usefixtures("way")
def test_behind_a_header_of_the_usual_names_nothing_counts_where_others_are_set(shop: Shop) -> None:
    columns = {"ts": "when", "build": "app", "code": "reason"}
    shop.feed_text(joined("when,app,reason", *LINES, *SWAPPED), columns=columns)
    lacking = "is a header without a column for ts, build, code"
    assert shop.events() == EVENTS
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [
        (4, lacking),
        (5, f"stands after line 4, which {lacking}"),
    ]


def test_a_header_that_lacks_a_column_at_the_end_of_a_file_ends_with_it(shop: Shop) -> None:
    for name, line in zip("ab", LINES, strict=True):
        shop.write(f"{name}.csv", joined(HEADER, line, "ts,code,release,host").encode())
    shop.feed()
    assert shop.events() == EVENTS
    assert shop.rows("select right(path, 5), line from rejects order by all") == [("a.csv", 3), ("b.csv", 3)]


def test_codes_may_be_called_as_columns_are(shop: Shop) -> None:
    shop.feed_text(joined(HEADER, "2026-11-23 10:00:00,build,time", "time,5.9,x", ",ts,code"))
    assert shop.events() == [("2026-11-23 10:00:00", "build", "time")]
    assert [reason for _, reason, _ in shop.rejects()] == ["time cannot be read", "has no time"]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("settings", [{}, {"header": False, "columns": {"ts": 1, "build": 2, "code": 3}}])
def test_blanks_behind_delimiters_are_no_part_of_fields(shop: Shop, settings: dict[str, Any]) -> None:
    lines = [f"{line.replace(',', ', ')}" for line in [HEADER, *LINES]][0 if not settings else 1 :]
    outcome = shop.feed_text(joined(*lines, '2026-11-23 10:00:02, "5.9",  "a, b"'), **settings)
    assert (outcome.message, shop.events()) == ("", [*EVENTS, ("2026-11-23 10:00:02", "5.9", "a, b")])


@pytest.mark.usefixtures("way")
def test_a_blank_behind_one_delimiter_is_part_of_a_field(shop: Shop) -> None:
    shop.feed_text(joined(HEADER, "2026-11-23 10:00:00, 5.9, E1"))
    assert shop.events() == [("2026-11-23 10:00:00", " 5.9", " E1")]


@pytest.mark.usefixtures("way")
def test_what_is_quoted_keeps_its_blanks(shop: Shop) -> None:
    shop.feed_text(joined("ts, build, code", '2026-11-23 10:00:00, 5.9,"  x"'))
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "  x")]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("around", [" , ", " ,", ", "])
@pytest.mark.parametrize("header", ["ts{0}build{0}code", '"ts"{0}"build"{0}"code"'])
def test_blanks_on_either_side_of_delimiters(shop: Shop, header: str, around: str) -> None:
    lines = [line.replace(",", around) for line in LINES]
    lines.append(f'2026-11-23 10:00:02{around}"5.9"{around}"a , b" ')
    shop.write("a.csv", joined(HEADER, "2026-11-23 09:00:00,5.9,E1").encode())
    shop.write("b.csv", joined(header.format(around), *lines).encode())
    assert [outcome.message for outcome in shop.feed()] == ["", ""]
    first = ("2026-11-23 09:00:00", "5.9", "E1")
    assert shop.events() == [first, *EVENTS, ("2026-11-23 10:00:02", "5.9", "a , b")]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("second", [HEADER, "ts,code,build", '"ts","code","build"'])
def test_a_byte_order_mark_between_files_put_together(shop: Shop, codec: str, end: str, second: str) -> None:
    more = "2026-11-23 10:00:02,5.9,E3" if second == HEADER else SWAPPED[1]
    texts = [joined(*lines, end=end) for lines in ([HEADER, *LINES], [second, more], [second, more])]
    shop.feed_text(b"".join(text.encode(codec) for text in texts))
    assert shop.events() == [*EVENTS, *2 * [("2026-11-23 10:00:02", "5.9", "E3")]]
    assert shop.rejects() == [(4, AGAIN, second), (6, AGAIN, second)]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "line", ["2026-11-23 10:00:00,5.9,E1", '"2026-11-23 10:00:00","5.9","E1"', "5.9,2026-11-23 10:00:00,E1"]
)
def test_a_byte_order_mark_before_records(shop: Shop, line: str) -> None:
    place = line.split(",").index("5.9") + 1 if '"' not in line else 2
    settings: dict[str, Any] = {"header": False, "columns": {"ts": 3 - place, "build": place, "code": 3}}
    shop.feed_text(2 * joined(line).encode("utf-8-sig"), **settings)
    with (shop.folder / "errors.csv").open("ab") as stream:
        stream.write(2 * joined(line).encode("utf-8-sig"))
    shop.feed(**settings)
    assert shop.events() == 4 * EVENTS[:1]
    assert shop.rejects() == []


@pytest.mark.usefixtures("way")
def test_a_byte_order_mark_between_files_of_json(shop: Shop) -> None:
    line = '{"ts":"2026-11-23 10:00:00","build":"5.9","code":"E1"}\n'
    shop.feed_text(3 * line.encode("utf-8-sig"), "a.jsonl")
    assert (shop.events(), shop.rejects()) == (3 * EVENTS[:1], [])


@pytest.mark.usefixtures("way")
def test_what_is_added_may_begin_with_a_byte_order_mark_and_a_header(shop: Shop) -> None:
    path = shop.write("errors.csv", joined(HEADER, *LINES).encode("utf-8-sig"))
    shop.feed()
    for code in ("E3", "E4"):
        with path.open("ab") as stream:
            stream.write(joined(SWAPPED[0], f"2026-11-23 10:00:02,{code},5.9").encode("utf-8-sig"))
        shop.feed()
    assert shop.events() == [*EVENTS, *[("2026-11-23 10:00:02", "5.9", code) for code in ("E3", "E4")]]
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(4, AGAIN), (6, AGAIN)]


@pytest.mark.parametrize("before", range(5))
def test_a_byte_order_mark_is_found_where_portions_meet(shop: Shop, before: int) -> None:
    lines = b"x" * (PORTION_BYTES - 1 - before) + b"\n"
    for mark in (b"", codecs.BOM_UTF8):
        assert examine(shop.write("a.csv", lines + mark + b"x\n")).is_plain == (mark == b"")
