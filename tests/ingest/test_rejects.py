"""What cannot be read is kept with its line and the reason; accepted and rejected are all records of the file."""

import json
from unittest.mock import Mock

import polars
import pytest

from streammetrics.config import Config
from streammetrics.errors import DamagedInputError
from streammetrics.ingest import base_tables
from streammetrics.ingest.batch import LONGEST_TEXT
from streammetrics.sources.snapshot import SMALL_BYTES
from tests.ingest.feeding import Shop

GOOD = "2026-11-23 10:00:00,5.9,7"


def reject_one(shop: Shop, bad: bytes, end: bytes = b"\n") -> list[tuple[int, str, str]]:
    """The rejects of a file with a bad record between good ones, all of which must be accepted."""
    lines = [b"ts,build,code", GOOD.encode(), bad, GOOD.encode(), GOOD.encode()]
    outcome = shop.feed_text(end.join(lines))
    assert (outcome.records, outcome.rejected) == (3, 1)
    assert len(shop.events()) == 3
    return shop.rejects()


@pytest.mark.slow
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"2026-11-23 10:00:00,5.9", "expected 3 fields, found 2"),
        (b"2026-11-23 10:00:00,5.9,7,8", "expected 3 fields, found 4"),
        (b" ", "expected 3 fields, found 1"),
        (b"2026-11-23 10:00:00,,7", "has no build"),
        (b'2026-11-23 10:00:00,"",7', "has no build"),
        (b",5.9,7", "has no time"),
        (b"yesterday,5.9,7", "time cannot be read"),
        (b"2026-11-23 10:00:00,5.9,\xff\xfe", "is not valid UTF-8"),
        (b"2026-11-23 10:00:00,5\x009,7", "holds a NUL character"),
        (b'2026-11-23 10:00:00,"5.9"x,7', "a quoted field does not end where it should"),
        (b'2026-11-23 10:00:00,5.9,"7', "a quoted field does not end where it should"),
    ],
)
def test_a_record_that_cannot_be_read(shop: Shop, bad: bytes, reason: str, end: bytes) -> None:
    shown = bad.decode(errors="surrogateescape").encode(errors="backslashreplace").decode().replace("\0", "\\x00")
    assert reject_one(shop, bad, end) == [(3, reason, shown)]


def test_the_message_tells_the_first(shop: Shop) -> None:
    outcome = shop.feed_text(f"ts,build,code\n{GOOD}\n\nx,5.9,7\n{GOOD},8\n")
    path = shop.folder / "errors.csv"
    assert outcome.message == f"{path}: 1 accepted, 2 rejected; line 4: time cannot be read"
    assert shop.rows("select source, path, line, reason, content from rejects order by line") == [
        ("feed", str(path), 4, "time cannot be read", "x,5.9,7"),
        ("feed", str(path), 5, "expected 3 fields, found 4", f"{GOOD},8"),
    ]
    assert shop.rows("select records, rejected from batches") == [(1, 2)]


def test_a_record_of_several_lines_is_where_it_begins(shop: Shop) -> None:
    shop.feed_text(f'ts,build,code\n{GOOD}\n2026-11-23 10:00:01,"5\n9",7\nx,"5\n\n9",7\nx,5.9,7\n')
    assert [build for _, build, _ in shop.events()] == ["5.9", "5\n9"]
    assert shop.rejects() == [
        (5, "time cannot be read", 'x,"5\n\n9",7'),
        (8, "time cannot be read", "x,5.9,7"),
    ]


@pytest.mark.slow
def test_an_open_quote_costs_one_record(shop: Shop) -> None:
    lines = ["ts,build,code", '2026-11-23 10:00:00,"5.9,7', *[GOOD] * 50_000]
    outcome = shop.feed_text("\n".join(lines))
    assert (outcome.records, outcome.rejected) == (50_000, 1)
    assert [line for line, _, _ in shop.rejects()] == [2]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quick.csv", "careful.csv", "errors.jsonl", "errors.parquet"])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_build_or_code_that_is_too_long_costs_one_record(shop: Shop, name: str, letter: str) -> None:
    longest = letter * LONGEST_TEXT
    rows = [("5.9", "7"), ("5.9", longest + letter), (longest + letter, "7"), (longest, longest)]
    path = shop.folder / name
    if name.endswith("parquet"):
        columns = {"ts": ["2026-11-23 10:00:00"] * 4, "build": [b for b, _ in rows], "code": [c for _, c in rows]}
        polars.DataFrame(columns).write_parquet(path)
    elif name.endswith("jsonl"):
        path.write_text(
            "".join(json.dumps({"ts": "2026-11-23 10:00:00", "build": b, "code": c}) + "\n" for b, c in rows)
        )
    else:
        zone = "" if name.startswith("quick") else "Z "
        path.write_text("ts,build,code\n" + "".join(f"2026-11-23 10:00:00{zone},{b},{c}\n" for b, c in rows))
    (outcome,) = shop.feed(path)
    assert (outcome.records, outcome.rejected) == (2, 2)
    assert sorted((build, code) for _, build, code in shop.events()) == sorted([rows[0], rows[3]])
    assert [reason for _, reason, _ in shop.rejects()] == [
        "its code is longer than 1,000 characters", "its build is longer than 1,000 characters",
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ["", "Z "], ids=["quickly", "carefully"])
def test_records_that_are_too_old_are_rejected(shop: Shop, zone: str) -> None:
    path = shop.folder / "a.csv"
    times = ("1000-01-01 00:00:00", "2026-11-13 11:59:59", "2026-11-13 12:00:00")
    path.write_text("ts,build,code\n" + "".join(f"{time}{zone},5.9,7\n" for time in times))
    (outcome,) = shop.feed(path, oldest_days=10)
    assert (outcome.records, outcome.rejected) == (1, 2)
    assert [reason for _, reason, _ in shop.rejects()] == [
        "375,066 days older than the clock, more than ingest.oldest_days = 10",
        "11 days older than the clock, more than ingest.oldest_days = 10",
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("2026-11-23 10:00:00,5.9," + "x" * 1001, "its code is longer than 1,000 characters"),
        (f"2026-11-23 10:00:00,{'x' * 1001},7", "its build is longer than 1,000 characters"),
        ("2016-11-22 10:00:00,5.9,7", "3,654 days older than the clock, more than ingest.oldest_days = 3650"),
    ],
)
def test_one_record_of_a_large_file_is_rejected(shop: Shop, bad: str, reason: str) -> None:
    """Which DuckDB's reader takes first, with a bare cast of the times."""
    lines = ["ts,build,code", *[GOOD] * (SMALL_BYTES // len(GOOD)), bad]
    (outcome,) = shop.feed(shop.write("a.csv", "\n".join(lines).encode()), oldest_days=3650)
    assert (outcome.records, outcome.rejected) == (len(lines) - 2, 1)
    assert [found for _, found, _ in shop.rejects()] == [reason]


UNLIKE = {
    "not a record": "expected 3 fields, found 1",
    "2026-11-23 10:00:00,5.9": "expected 3 fields, found 2",
    "2026-11-23 10:00:00,5.9,7,8": "expected 3 fields, found 4",
    "soon,5.9,7": "time cannot be read",
    "2027-11-23 10:00:00,5.9,7": "31,528,800 s ahead of the clock, more than ingest.future_limit_seconds = 3600",
}
LIKE = {
    "2026-11-31 10:00:00,5.9,7": "time cannot be read",
    "2026-11-23 10:00:00,,7": "has no build",
}


@pytest.mark.parametrize(("bad", "is_found_soon"), [(UNLIKE, True), (LIKE, False), ({**UNLIKE, **LIKE}, False)])
def test_bad_lines_of_a_large_file_are_found(
    shop: Shop, bad: dict[str, str], is_found_soon: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where cheap tests find all that were not inserted, fields are taken out of no other line."""
    keep_others = Mock(side_effect=base_tables._keep_others)
    monkeypatch.setattr(base_tables, "_keep_others", keep_others)
    lines = [GOOD] * (SMALL_BYTES // len(GOOD))
    places = range(5, len(lines), len(lines) // len(bad))
    for place, line in zip(places, bad, strict=False):
        lines.insert(place, line)
    (outcome,) = shop.feed(shop.write("a.csv", "\n".join(["ts,build,code", *lines]).encode()))
    assert (outcome.records, outcome.rejected) == (len(lines) - len(bad), len(bad))
    assert shop.rejects() == [(lines.index(line) + 2, reason, line) for line, reason in bad.items()]
    assert keep_others.called is not is_found_soon


def test_a_file_that_is_too_old_is_read_once_the_limit_is_raised(shop: Shop) -> None:
    path = shop.write("a.csv", b"ts,build,code\n2026-11-03 10:00:00,5.9,7\n")
    (outcome,) = shop.feed(path, oldest_days=10)
    assert "raise oldest_days of [ingest], if they are so old, or correct columns" in outcome.message
    assert shop.feed(path, oldest_days=30)[0].records == 1
    assert Config().ingest.oldest_days == 3650


@pytest.mark.parametrize("name", ["errors.csv", "errors.jsonl"])
def test_a_line_of_ten_megabytes_costs_one_record(shop: Shop, name: str) -> None:
    head, good = "ts,build,code\n", GOOD
    if name.endswith("jsonl"):
        head, good = "", '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": 7}'
    outcome = shop.feed_text(f"{head}{good}\n{'x' * 10_000_000}\n{good}\n", name)
    assert (outcome.records, outcome.rejected) == (2, 1)
    assert [(reason, len(content)) for _, reason, content in shop.rejects()] == [
        ("is longer than 1,000,000 characters", 200)
    ]


def test_what_is_kept_is_cut(shop: Shop) -> None:
    shop.feed_text("ts,build,code\n" + GOOD + "\n" + "é" * 300)
    assert shop.rejects() == [(3, "expected 3 fields, found 1", "é" * 200)]


def test_bad_lines_of_json(shop: Shop) -> None:
    good = '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": 7}'
    bad = {
        "{": "is not a JSON object",
        "[1]": "is not a JSON object",
        "[" * 100_000: "is not a JSON object",
        '{"ts": "2026-11-23 10:00:00", "build": "5.9"}': "has no code",
        '{"ts": "2026-11-23 10:00:00", "build": null, "code": 7}': "has no build",
        '{"ts": "2026-11-23 10:00:00", "build": "", "code": 7}': "has no build",
        '{"ts": "2026-11-23 10:00:00", "build": ["5.9"], "code": 7}': "build is neither text nor a number",
        '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": true}': "code is neither text nor a number",
        '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": "\\ud800"}': "is not valid UTF-8",
        '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": "\\u0000"}': "holds a NUL character",
        '{"ts": "2026-11-23", "build": "5.9", "code": 7}': "time cannot be read: a date without a time of day",
        '{"ts": "", "build": "5.9", "code": 7}': "has no time",
    }
    outcome = shop.feed_text("\n".join([good, "", *bad, good]), name="errors.jsonl")
    assert (outcome.records, outcome.rejected) == (2, len(bad))
    assert [(line, reason) for line, reason, _ in shop.rejects()] == list(enumerate(bad.values(), start=3))


def test_bad_rows_of_parquet(shop: Shop) -> None:
    import duckdb

    path = shop.folder / "errors.parquet"
    duckdb.execute(
        "copy (select * from (values (timestamp '2026-11-23 10:00:00', '5.9', 7), (null, '5.9', 7), "
        "(timestamp '2026-11-23 10:00:00', null, 7), (timestamp '2026-11-23 10:00:00', '5.9', null), "
        "(timestamp 'infinity', '5.9', 7), (timestamp '2030-01-01', '5.9', 7), "
        f"(timestamp '2026-11-23 10:00:00.5', '5.9', 8)) as t(ts, build, code)) to '{path}' (format parquet)"
    )
    (outcome,) = shop.feed()
    assert (outcome.records, outcome.rejected) == (2, 5)
    assert shop.rejects() == [
        (2, "has no time", "5.9,7"),
        (3, "has no build", "2026-11-23 10:00:00,7"),
        (4, "has no code", "2026-11-23 10:00:00,5.9"),
        (5, "time cannot be read", "infinity,5.9,7"),
        (
            6,
            "98,020,800 s ahead of the clock, more than ingest.future_limit_seconds = 3600",
            "2030-01-01 00:00:00,5.9,7",
        ),
    ]


def test_dates_of_parquet_are_no_times(shop: Shop) -> None:
    import duckdb

    path = shop.folder / "errors.parquet"
    duckdb.execute(f"copy (select date '2026-11-20' as ts, '5.9' as build, 7 as code) to '{path}' (format parquet)")
    (outcome,) = shop.feed()
    assert (outcome.records, outcome.rejected) == (0, 1)
    assert "time cannot be read: a date without a time of day: '2026-11-20'; times can be ISO" in outcome.message


def test_utf16_that_is_damaged(shop: Shop) -> None:
    text = f"ts,build,code\n{GOOD}\n2026-11-23 10:00:00,5.9,X\n{GOOD}\n".encode("utf-16")
    outcome = shop.feed_text(text.replace("X".encode("utf-16-le"), b"\x00\xd8"))
    assert (outcome.records, outcome.rejected) == (2, 1)
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(3, "is not valid UTF-16")]


def test_a_file_of_rejects_alone_is_a_batch(shop: Shop) -> None:
    outcome = shop.feed_text("ts,build,code\nx,5.9,7\n")
    assert (outcome.state, outcome.records, outcome.rejected) == ("loaded", 0, 1)
    assert shop.rows("select records, rejected, min_ts from batches") == [(0, 1, None)]
    assert shop.rows("select count(*) from builds") == [(0,)]


@pytest.mark.parametrize(
    ("record", "settings", "words"),
    [
        ("x,5.9,7", {}, "time cannot be read: 'x'; times can be ISO 8601, "),
        ("10:00:00x,5.9,7", {"date": "2026-11-23"}, "for others set time_format of [[source]] 'feed'"),
        ("x,5.9,7", {"time_format": "%d.%m.%Y %H:%M"}, "'x'; correct time_format of [[source]] 'feed'"),
        ("2026-11-24 10:00:00,5.9,7", {}, "; correct timezone of [[source]] 'feed', or the clock that wrote it; "),
        ("2026-10-25 02:30:00,5.9,7", {"timezone": "Europe/Berlin"}, "; correct timezone of [[source]] 'feed', "),
        (f"{GOOD},8", {}, "expected 3 fields, found 4; correct columns, delimiter or format of [[source]] 'feed', "),
    ],
)
def test_of_a_file_of_rejects_the_message_names_what_to_mend(
    shop: Shop, record: str, settings: dict[str, str], words: str
) -> None:
    outcome = shop.feed_text(f"ts,build,code\n{record}\n", **settings)
    assert isinstance(outcome.error, DamagedInputError)
    first, *suspected = outcome.message.splitlines()
    assert words in first
    assert len(suspected) == ("2026-11-24" in record), "a time zone is suspected by a sentence of its own"


def test_rejects_that_retention_explains_are_no_failure(shop: Shop) -> None:
    with shop.connection.begin():
        shop.connection.exec_driver_sql(
            "insert into pruned values ('counters', timestamp '2026-11-23 11:00:00', null, 1, now()::timestamp)"
        )
    try:
        outcome = shop.feed_text(f"ts,build,code\n{GOOD}\n")
    finally:
        with shop.connection.begin():
            shop.connection.exec_driver_sql("delete from pruned")
    assert (outcome.rejected, outcome.error, outcome.is_done) == (1, None, True)


@pytest.mark.slow
def test_many_records_behind_as_many_rejects_are_kept(shop: Shop) -> None:
    """DuckDB 1.5 loses 122,880 rows and more that several threads insert after none, within a transaction."""
    lines = ["ts,build,code", *["yesterday,5.9,7"] * 125_000, *[GOOD] * 125_001]
    shop.use_threads(2)
    try:
        outcome = shop.feed_text("\n".join(lines))
    finally:
        shop.use_threads(1)
    assert (outcome.records, outcome.rejected) == (125_001, 125_000)
    assert shop.rows("select count(*) from events") == [(125_001,)]
    assert shop.rows("select sum(errors) from counters") == [(125_001,)]
    assert shop.rows("select count(*) from rejects") == [(125_000,)]


def test_a_record_of_several_lines_and_all_control_characters_costs_one_record(shop: Shop) -> None:
    signs = "".join(chr(code) for code in range(1, 32) if code not in (9, 10, 11, 12, 13))
    outcome = shop.feed_text(f'ts,build,code\n{GOOD}\n2026-11-23 10:00:00,5.9,"{signs}\n7"\n{GOOD}\n')
    assert (outcome.records, outcome.rejected) == (2, 1)
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(3, "holds all control characters")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_within_quotes_stay_what_they_are(shop: Shop, end: str) -> None:
    shop.feed_text(f'ts,build,code{end}2026-11-23 10:00:00,5.9,"a{end}b"{end}{GOOD}{end}')
    assert [code for *_, code in shop.events()] == ["7", f"a{end}b"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sign", ["\x1c", "\x1d"])
def test_control_characters_before_a_line_end_are_content(shop: Shop, sign: str, end: str) -> None:
    """They mark converted line ends while a file with quotes is read."""
    time = "2026-11-23 10:00:0"
    lines = ["ts,build,code", f'{time}1,5.9,"a"', sign, f"{time}2,5.9,b{sign}", f'{time}3,5.9,"c{sign}{end}c"', ""]
    shop.feed_text(end.join(lines))
    assert [code for _, _, code in shop.events()] == ["a", f"b{sign}", f"c{sign}\nc"]
    assert shop.rejects() == [(3, "expected 3 fields, found 1", sign)]
