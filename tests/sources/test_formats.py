"""Whatever the format, its compression and its habits, the same records come out."""

import bz2
import codecs
import gzip
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from streammetrics.errors import ConfigError, InputOutputError
from streammetrics.sources import unpack
from tests.ingest.feeding import THREE, THREE_EVENTS, Shop

# Without the time of day in its header: the same bytes in every run.
GZIPPED = gzip.compress(THREE, mtime=0)


def in_format(kind: str, folder: Path) -> bytes:
    if kind == "csv":
        return THREE
    if kind == "tsv":
        return THREE.replace(b",", b"\t")
    header, *rows = (line.split(",") for line in THREE.decode().splitlines())
    if kind in ("jsonl", "ndjson"):
        return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows).encode()
    path = folder / "made.bin"
    duckdb.execute(
        "copy (select unnest($ts)::timestamp as ts, unnest($build) as build, unnest($code) as code) "
        f"to '{path}' (format parquet)",
        {name: [row[place] for row in rows] for place, name in enumerate(header)},
    )
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.mark.slow
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "ndjson", "parquet"])
def test_every_format_and_compression_is_read(shop: Shop, kind: str, packing: str) -> None:
    shop.write(f"errors.{kind}{packing}", in_format(kind, shop.folder))
    (outcome,) = shop.feed()
    assert (outcome.state, outcome.records, outcome.rejected, outcome.message) == ("loaded", 3, 0, "")
    assert shop.events() == THREE_EVENTS
    assert shop.rows("select records, rejected, min_ts::text, max_ts::text from batches") == [
        (3, 0, "2026-11-23 10:00:00", "2026-11-23 10:00:01")
    ]
    assert shop.rows("select second::text, build, code, errors from counters order by all") == [
        ("2026-11-23 10:00:00", "5.10", "-17", 1),
        ("2026-11-23 10:00:00", "5.9", "404", 1),
        ("2026-11-23 10:00:01", "5.10", "E_X", 1),
    ]
    assert not (shop.folder / "store" / "x.duckdb.scratch").exists()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("has_last", [True, False])
def test_line_ends(shop: Shop, end: bytes, has_last: bool) -> None:
    content = THREE.replace(b"\n", end)
    outcome = shop.feed_text(content if has_last else content.removesuffix(end))
    assert (outcome.records, outcome.rejected) == (3, 0)
    assert shop.events() == THREE_EVENTS


def test_mixed_line_ends_and_blank_lines(shop: Shop) -> None:
    lines = THREE.splitlines()
    outcome = shop.feed_text(b"\n" + lines[0] + b"\r\n" + lines[1] + b"\r\r\n" + lines[2] + b"\n\n" + lines[3] + b"\r")
    assert (outcome.records, outcome.rejected) == (3, 0)
    assert shop.events() == THREE_EVENTS


@pytest.mark.parametrize(
    "encoded",
    [
        codecs.BOM_UTF8 + THREE,
        THREE.decode().encode("utf-16"),
        codecs.BOM_UTF16_BE + THREE.decode().encode("utf-16-be"),
        codecs.BOM_UTF8 + THREE.replace(b"\n", b"\r"),
    ],
    ids=["utf-8", "utf-16", "utf-16-be", "utf-8 and CR"],
)
def test_a_byte_order_mark_is_no_part_of_the_first_name(shop: Shop, encoded: bytes) -> None:
    assert shop.feed_text(encoded).records == 3
    assert shop.events() == THREE_EVENTS


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_header_tells_the_delimiter(shop: Shop, delimiter: str) -> None:
    assert shop.feed_text(THREE.replace(b",", delimiter.encode())).records == 3
    assert shop.events() == THREE_EVENTS


def test_a_delimiter_can_be_set(shop: Shop) -> None:
    assert shop.feed_text(THREE.replace(b",", b"^"), delimiter="^").records == 3
    assert shop.events() == THREE_EVENTS


def test_quoted_fields_and_codes_come_as_they_are(shop: Shop) -> None:
    codes = [
        "-5",
        "E42",
        "007",
        str(2**63),
        "",
        "\U0001f4a5",
        " 7 ",
        'say ""no""',
        "a,b",
        "two\nlines",
        "NULL",
        "\\N",
        "x\\",
    ]
    lines = ["ts,build,code", *(f'2026-11-23 10:00:{n:02},"5.9","{code}"' for n, code in enumerate(codes))]
    assert shop.feed_text("\n".join(lines)).records == len(codes)
    assert [code for _, _, code in shop.events()] == [code.replace('""', '"') for code in codes]


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_other_columns_do_not_matter(shop: Shop, end: str) -> None:
    lines = ["host;Error_Code;x;VERSION;x;Time", "h;7;;5.9;;2026-11-23 10:00:00", "h;8;;5.9;;2026-11-23 10:00:01"]
    assert shop.feed_text(end.join(lines)).records == 2
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "7"), ("2026-11-23 10:00:01", "5.9", "8")]


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_empty_fields_after_the_last_column_are_a_habit(shop: Shop, end: str) -> None:
    rows = ["2026-11-23 10:00:00,5.9,7,", '2026-11-23 10:00:01,5.9,,,"",', "2026-11-23 10:00:02,5.9,7,8,"]
    outcome = shop.feed_text(end.join(["ts,build,code", *rows]))
    assert [code for _, _, code in shop.events()] == ["7", ""]
    assert outcome.message.endswith("line 4: expected 3 fields, found 4")


def test_columns_can_be_mapped(shop: Shop) -> None:
    columns = {"ts": "when", "build": "What, exactly", "code": 'co"de'}
    text = 'ts,"What, exactly",when,"co""de"\nx,5.9,2026-11-23 10:00:00,7\n'
    assert shop.feed_text(text, columns=columns).records == 1
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "7")]


def test_what_is_not_mapped_the_header_tells(shop: Shop) -> None:
    text = "When,version,code,kind\n2026-11-23 10:00:00,5.9,x,7\n"
    assert shop.feed_text(text, columns={"ts": "when", "code": "kind"}).records == 1
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "7")]


def test_json_numbers_keep_their_digits(shop: Shop) -> None:
    lines = [
        '{"Time": 1795428000, "build": 5.90, "code": 007}',
        '{"when": "2026-11-23T10:00:01Z", "build": "b", "code": 12345678901234567890123}',
        '{"Time": "2026-11-23T10:00:02Z", "build": 5.90, "code": 12345678901234567890123, "x": {"y": []}}',
        '{"Time": 1795428003.25, "build": 1e5, "code": -0}',
    ]
    outcome = shop.feed_text("\n".join(lines), name="errors.jsonl")
    assert (outcome.records, outcome.rejected) == (2, 2)
    assert shop.events() == [
        ("2026-11-23 10:00:02", "5.90", "12345678901234567890123"),
        ("2026-11-23 10:00:03.250000", "1e5", "0"),
    ]
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(1, "is not a JSON object"), (2, "has no ts")]


@pytest.mark.parametrize(
    ("value", "build", "code"),
    [
        ("404", "404", "404"),
        ("404.0", "404.0", "404"),
        ("404.50", "404.50", "404.5"),
        ("5.10", "5.10", "5.1"),
        ("1.2345678E7", "1.2345678E7", "12345678"),
        ("1e3", "1e3", "1000"),
        ("1e30", "1e30", "1e30"),
        ('"404.0"', "404.0", "404.0"),
        ('"5.10"', "5.10", "5.10"),
        ('"1e3"', "1e3", "1e3"),
    ],
)
def test_a_code_of_json_has_one_spelling(shop: Shop, value: str, build: str, code: str) -> None:
    shop.feed_text(f'{{"ts": "2026-11-23 10:00:00", "build": {value}, "code": {value}}}\n', "errors.jsonl")
    assert shop.events() == [("2026-11-23 10:00:00", build, code)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "build", "code"),
    [
        ("404", "404", "404"),
        ("200::utinyint", "200", "200"),
        ("404::hugeint", "404", "404"),
        ("404::double", "404", "404"),
        ("404::float", "404", "404"),
        ("404::decimal(9, 2)", "404", "404"),
        ("400::decimal(9, 0)", "400", "400"),
        ("-17::double", "-17", "-17"),
        ("1e17::double", "1e+17", "1" + "0" * 17),
        ("404.5::double", "404.5", "404.5"),
        ("5.10::decimal(9, 2)", "5.10", "5.1"),
        ("10.0::decimal(9, 2)", "10", "10"),
        ("'404.0'", "404.0", "404.0"),
        ("'Fehler_Ü'", "Fehler_Ü", "Fehler_Ü"),
        ("encode('Fehler_Ü')", "Fehler_Ü", "Fehler_Ü"),
        ("encode('a\\xC3')", "a\\xC3", "a\\xC3"),
        ("'a\\xC3'", "a\\xC3", "a\\xC3"),
        ("'A'::enum ('A', 'B')", "A", "A"),
        ("'00000000-0000-0000-0000-000000000009'::uuid", *2 * ["00000000-0000-0000-0000-000000000009"]),
    ],
)
def test_a_code_of_parquet_has_one_spelling(shop: Shop, value: str, build: str, code: str) -> None:
    path = shop.folder / "x.parquet"
    row = f"select timestamp '2026-11-23 10:00:00' as ts, {value} as build, {value} as code"
    duckdb.execute(f"copy ({row}) to '{path}' (format parquet)")
    assert [outcome.message for outcome in shop.feed(path)] == [""]
    assert shop.events() == [("2026-11-23 10:00:00", build, code)]


@pytest.mark.slow
@pytest.mark.parametrize("role", ["time", "build", "code"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("true", " is neither text nor a number"),
        ("[7]", " is neither text nor a number"),
        ("{'a': '7'}", " is neither text nor a number"),
        ("interval 1 day", " is neither text nor a number"),
        ("['A'::enum ('A', 'B')]", " is neither text nor a number"),
        ("'\\xFF'::blob", "is not valid UTF-8"),
    ],
)
def test_what_is_neither_text_nor_number_is_rejected(shop: Shop, role: str, value: str, reason: str) -> None:
    values = {"time": "'2026-11-23 10:00:00'", "build": "'5.9'", "code": "7", role: value}
    columns = ", ".join(f"unnest([null, {value}]) as {name}" for name, value in values.items())
    duckdb.execute(f"copy (select {columns}) to '{shop.folder / 'x.parquet'}' (format parquet)")
    shop.feed()
    expected = f"{role}{reason}" if reason.startswith(" ") else reason
    assert [reason for _, reason, _ in shop.rejects()] == ["has no build", expected]


@pytest.mark.parametrize("value", ["date '2026-11-23'", "timestamp '2026-11-23 10:00:00'", "time '10:00:00'"])
def test_times_are_no_codes(shop: Shop, value: str) -> None:
    row = f"select timestamp '2026-11-23 10:00:00' as ts, '5.9' as build, {value} as code"
    duckdb.execute(f"copy ({row}) to '{shop.folder / 'x.parquet'}' (format parquet)")
    shop.feed()
    assert [reason for _, reason, _ in shop.rejects()] == ["code is neither text nor a number"]


def test_not_a_number_is_no_code(shop: Shop) -> None:
    row = "select timestamp '2026-11-23 10:00:00' as ts, '5.9' as build, unnest(['nan'::double, 404]) as code"
    duckdb.execute(f"copy ({row}) to '{shop.folder / 'x.parquet'}' (format parquet)")
    shop.feed()
    assert [code for *_, code in shop.events()] == ["404"]
    assert [reason for _, reason, _ in shop.rejects()] == ["has no code"]


def test_parquet_types(shop: Shop) -> None:
    columns = {
        "timestamptz": "timestamptz '2026-11-23 12:00:00+02'",
        "nanoseconds": "timestamp_ns '2026-11-23 10:00:00.123456789'",
        "milliseconds": "timestamp_ms '2026-11-23 10:00:00.123'",
        "epoch": "1795428000000::bigint",
        "text": "'2026-11-23T10:00:00Z'",
    }
    for number, (name, value) in enumerate(columns.items()):
        path = shop.folder / f"{name}.parquet"
        duckdb.execute(
            f"copy (select {number} as code, 5.9::double as build, {value} as ts) to '{path}' (format parquet)"
        )
    assert [outcome.records for outcome in shop.feed()] == [1, 1, 1, 1, 1]
    assert sorted(shop.events(), key=lambda event: event[2]) == [
        ("2026-11-23 10:00:00", "5.9", "0"),
        ("2026-11-23 10:00:00.123456", "5.9", "1"),
        ("2026-11-23 10:00:00.123000", "5.9", "2"),
        ("2026-11-23 10:00:00", "5.9", "3"),
        ("2026-11-23 10:00:00", "5.9", "4"),
    ]


@pytest.mark.parametrize(
    ("other", "kind"),
    [(role, kind) for role in ("ts", "build", "code") for kind in ("varchar", "blob")] + [("who", "varchar")],
)
def test_a_nul_character_in_parquet_is_a_reject(shop: Shop, other: str, kind: str) -> None:
    """As columns of fixed length are filled up with."""
    values = {"ts": "'2026-11-23 10:00:00'", "build": "'5.9'", "code": "'404'", "who": "'me'"}
    bad = {**values, other: f"{values[other]} || chr(0)"}
    rows = " union all ".join(
        f"select {', '.join(f'{value}::{kind} as {name}' for name, value in row.items())}" for row in (values, bad)
    ).replace("chr(0)::blob", "chr(0)")
    if kind == "blob":
        rows = rows.replace(f"{values[other]} || chr(0)", f"({values[other]}::blob || '\\x00'::blob)")
    duckdb.execute(f"copy ({rows}) to '{shop.folder / 'x.parquet'}' (format parquet)")
    shop.feed(columns={"client": "who"})
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "404")]
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(2, "holds a NUL character")]
    assert not any("\0" in content for *_, content in shop.rejects())


def test_decimals_that_duckdb_misreads_are_refused(shop: Shop) -> None:
    codes = pa.array([Decimal(404)], pa.decimal256(50, 0))
    table = pa.table({"ts": ["2026-11-23 10:00:00"], "build": ["5.9"], "code": codes, "id": codes})
    path = shop.folder / "x.parquet"
    parquet.write_table(table, path)
    problem = "column 'code' holds decimals of more than 38 digits, which DuckDB misreads"
    assert [outcome.message for outcome in shop.feed()] == [f"{path}: {problem}: write it as text or as whole numbers"]
    texts = table.set_column(2, "code", [["404"]])
    parquet.write_table(texts.append_column("detail", pa.StructArray.from_arrays([codes], ["code"])), path)
    assert [outcome.message for outcome in shop.feed()] == [""]


def test_packed_parquet_files_of_one_size_are_each_read_as_they_are(shop: Shop) -> None:
    """They are unpacked to one place within a second: DuckDB must not keep the schema of one for the other."""
    plain, sizes = shop.folder / ".plain", set()
    for second, (kind, pad) in enumerate([("bigint", "xx"), ("double", "xxxx"), ("bigint", "xx")]):
        row = f"select {1795428000 + second}::{kind} as ts, '5.9' as build, 404 as code"
        duckdb.execute(f"copy ({row}) to '{plain}' (format parquet, kv_metadata {{pad: '{pad}'}})")
        sizes.add(plain.stat().st_size)
        shop.write(f"{second}.parquet.gz", plain.read_bytes())
    assert len(sizes) == 1
    assert [outcome.message for outcome in shop.feed()] == 3 * [""]
    assert shop.events() == [(f"2026-11-23 10:00:0{second}", "5.9", "404") for second in range(3)]


def test_a_suffix_that_says_nothing_needs_a_format(shop: Shop) -> None:
    path = shop.write("errors.log", THREE)
    (outcome,) = shop.feed(path)
    assert outcome.message == (
        f"{path}: its suffix does not show what is in it; set format of [[source]] 'feed' "
        'to "csv", "tsv", "jsonl" or "parquet"'
    )
    assert isinstance(outcome.error, ConfigError)
    assert shop.feed(path, format="csv")[0].records == 3


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        # The header of gzip has the time, and the content is part of the test's name, which all workers must agree on.
        ("a.csv", gzip.compress(THREE, mtime=0), "is gzip, no text: unpack it, or let its name end in .gz"),
        ("a.jsonl", zstandard.compress(THREE), "is zstd, no text: unpack it, or let its name end in .zst"),
        ("a.csv", bz2.compress(THREE), "is bzip2, no text: unpack it, or pack it as .gz or .zst"),
        ("a.csv", b"SQLite format 3\0x", "is an SQLite database, no text: give it a [[source]] with url and table"),
        (
            "a.jsonl",
            b"[\n {}\n]\n",
            "no line is a JSON object with keys; expected one object per line; `jq -c '.[]'` makes these of an array",
        ),
    ],
)
def test_what_is_no_text_is_named(shop: Shop, name: str, content: bytes, problem: str) -> None:
    outcome = shop.feed_text(content, name)
    assert isinstance(outcome.error, ConfigError)
    assert outcome.message == f"{shop.folder / name}: {problem}"


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_columns_that_are_not_found_are_listed_with_a_line_to_copy(shop: Shop, end: str) -> None:
    outcome = shop.feed_text(end.join(["when,Version,what", "2026-11-23 10:00:00,1,7"]))
    assert isinstance(outcome.error, ConfigError)
    assert outcome.message == (
        f'{shop.folder / "errors.csv"}: no column for ts, code; the columns found are: "when", "Version", "what"; '
        "name them in [[source]] 'feed' of the configuration, beside its name and path:\n"
        'columns = { ts = "...", build = "Version", code = "..." }'
    )
    assert shop.rows("select * from batches") == []


@pytest.mark.parametrize("name", ["errors.csv", "errors.jsonl", "errors.tsv"])
def test_a_file_without_a_header_loads_nothing(shop: Shop, name: str) -> None:
    assert isinstance(shop.feed_text("2026-11-23 10:00:00,5.9,7\n", name=name).error, ConfigError)
    assert shop.rows("select * from batches") == []


def test_a_mapped_column_that_is_not_there_is_named(shop: Shop) -> None:
    outcome = shop.feed_text(THREE, columns={"ts": "ts", "build": "build", "code": "kode"})
    assert "no column for code" in outcome.message


def test_one_column_is_not_two(shop: Shop) -> None:
    outcome = shop.feed_text(THREE, columns={"ts": "ts", "build": "code", "code": "code"})
    assert "one column cannot be two of ts, build, code, stratum and client" in outcome.message


def test_a_header_alone_is_a_file_of_no_records(shop: Shop) -> None:
    outcome = shop.feed_text("ts,build,code\n")
    assert (outcome.state, outcome.records, outcome.rejected) == ("loaded", 0, 0)
    assert shop.rows("select records, min_ts from batches") == [(0, None)]


def test_an_empty_file_is_reported_once(shop: Shop) -> None:
    path = shop.write("errors.csv", b"")
    assert [outcome.message for outcome in shop.feed()] == [f"{path}: is empty"]
    assert [outcome.message for outcome in shop.feed()] == [""]
    path.write_bytes(THREE)
    assert shop.feed()[0].records == 3


def with_window(content: bytes, log: int) -> bytes:
    """A zstd frame as a stream has it: without its size, but with that of the window."""
    packer = zstandard.ZstdCompressor(write_checksum=False).compressobj()
    frame = bytearray(packer.compress(content) + packer.flush())
    frame[5] = (log - 10) << 3
    return bytes(frame)


def test_zstd_with_a_long_window(shop: Shop) -> None:
    header, *lines = THREE.splitlines(keepends=True)
    frames = [with_window(b"".join([header, *lines[:1]]), 31), zstandard.compress(lines[1]), with_window(lines[2], 30)]
    (shop.folder / "a.csv.zst").write_bytes(b"".join(frames))
    assert [outcome.message for outcome in shop.feed()] == [""]
    assert shop.events() == THREE_EVENTS


def test_what_a_window_would_hold_is_bounded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "LARGEST_WINDOW", 1 << 20)
    lines = THREE + b"\n" * (1 << 20)
    for name, log in (("a", 31), ("b", 20)):
        (shop.folder / f"{name}.csv.zst").write_bytes(with_window(lines, log))
    long, usual = shop.feed()
    assert long.message == (
        f"{shop.folder / 'a.csv.zst'}: needs a window of 2,048 MiB, more than 1 MiB, and holds more than that: "
        "compress it without --long; nothing of it was loaded"
    )
    assert (usual.records, usual.message) == (3, "")


def test_several_members_of_gzip_and_frames_of_zstd_are_one_content(shop: Shop) -> None:
    half = len(THREE) // 2
    (shop.folder / "a.csv.gz").write_bytes(gzip.compress(THREE[:half]) + gzip.compress(THREE[half:]))
    other = THREE.replace(b"10:", b"09:")
    (shop.folder / "b.csv.zst").write_bytes(zstandard.compress(other[:half]) + zstandard.compress(other[half:]))
    assert [outcome.records for outcome in shop.feed()] == [3, 3]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.csv.gz", GZIPPED[:-9]),
        ("cut.csv.zst", zstandard.compress(THREE)[:-4]),
        ("plain.csv.gz", THREE),
        ("plain.csv.zst", THREE),
        ("empty.csv.zst", b""),
        ("damaged.csv.gz", GZIPPED[:20] + b"\xff" * 30 + GZIPPED[50:]),
        ("plain.parquet", THREE),
        ("cut.parquet", b"PAR1" + THREE),
    ],
)
def test_a_damaged_file_loads_nothing_and_the_others_load(shop: Shop, name: str, content: bytes) -> None:
    (shop.folder / name).write_bytes(content)
    shop.write("z.csv", THREE)
    bad, good = shop.feed()
    assert (bad.state, good.state) == ("failed", "loaded")
    assert isinstance(bad.error, InputOutputError)
    assert name in bad.message
    assert shop.events() == THREE_EVENTS


def test_a_pattern_that_no_file_matches_says_what_a_bracket_is(shop: Shop) -> None:
    (outcome,) = shop.feed(path=str(shop.folder / "logs [x]" / "*.csv"))
    hint = "[ begins a set of letters: write [[] for a [ in a name"
    assert outcome.message == f"[[source]] 'feed': no file matches {shop.folder}/logs [x]/*.csv; {hint}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a[1].csv", "a*b.csv", "a?.csv", "it's.csv", "a b.csv", "%s;--.csv"])
def test_a_name_is_only_a_name(shop: Shop, name: str) -> None:
    shop.write("a1.csv", THREE.replace(b"10:", b"09:"))
    path = shop.write(name, THREE)
    assert [(outcome.path, outcome.records) for outcome in shop.feed(path)] == [(path, 3)]
    assert shop.events() == THREE_EVENTS
    parquet = path.with_suffix(".parquet")
    parquet.write_bytes(in_format("parquet", shop.folder).replace(b"E_X", b"E_Y"))
    assert shop.feed(parquet)[0].state == "loaded"


def test_ten_thousand_columns(shop: Shop) -> None:
    header = ",".join(["ts", "build", *(f"x{n}" for n in range(10_000)), "code"])
    for name, end in (("a.csv", "\n"), ("b.csv", "\r")):
        row = ",".join(["2026-11-23 10:00:00", "5.9", *("0" for _ in range(10_000)), name])
        assert shop.feed_text(header + end + row, name=name).records == 1


def test_set_a(shop: Shop, reference_data: Path) -> None:
    (outcome,) = shop.feed(reference_data / "set_a" / "ErrorStreamSetA.csv", date="2026-11-20")
    assert (outcome.records, outcome.rejected) == (14_000, 0)
    assert shop.rows("select build, version_rank, first_second::text, last_second::text from builds order by 2") == [
        ("5.0007.510.011", 1, "2026-11-20 00:00:00", "2026-11-20 00:59:59"),
        ("5.0007.610.011", 2, "2026-11-20 00:00:00", "2026-11-20 01:00:00"),
    ]
    assert shop.rows("select count(distinct second), sum(errors) from counters") == [(3518, 14_000)]


def test_the_process_may_not_read_a_file(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop.write("errors.csv", THREE)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    (outcome,) = shop.feed()
    assert outcome.message == f"{path}: cannot be read: Permission denied"
    assert list((shop.folder / "store").glob("*")) == []


@pytest.mark.parametrize("name", ["errors.csv", "errors.parquet"])
def test_folders_that_look_like_columns_are_not(shop: Shop, name: str) -> None:
    folder = shop.folder / "build=HIVE" / "code=9"
    folder.mkdir(parents=True)
    shop.write("three.csv", THREE)
    path = folder / name
    duckdb.sql(f"copy (from read_csv('{shop.folder / 'three.csv'}', all_varchar = true)) to '{path}'")
    assert [outcome.state for outcome in shop.feed(path)] == ["loaded"]
    assert shop.events() == THREE_EVENTS
