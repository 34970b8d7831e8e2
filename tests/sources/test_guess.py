"""What a sample file shows of how it is to be read: the keys of its [[source]], and what is said to be assumed."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streammetrics.errors import ConfigError, DamagedInputError
from streammetrics.sources.guess import Guess, guess
from tests.ingest.feeding import Shop

LINES = ["2026-11-23 10:00:00,5.9,404", "2026-11-23 10:00:01,5.10,-17", "2026-11-23 10:00:02,5.10,404"]
ODD = {"ts": "when", "build": "rel", "code": "what"}


def guessed(shop: Shop, name: str, text: str) -> Guess:
    return guess(shop.connection, shop.write(name, text.encode()), shop.folder / "scratch")


def csv_of(header: str, *, delimiter: str = ",") -> str:
    return "".join(line + "\n" for line in [header, *LINES]).replace(",", delimiter)


@pytest.mark.parametrize(
    ("name", "text", "keys"),
    [
        ("a.csv", csv_of("ts,build,code"), {"format": "csv", "delimiter": ","}),
        ("a.csv", csv_of("Timestamp,Version,ERROR_CODE"), {"format": "csv", "delimiter": ","}),
        ("a.csv.gz", csv_of("when,rel,what", delimiter=";"), {"format": "csv", "delimiter": ";", "columns": ODD}),
        ("a.tsv.zst", csv_of("when,rel,what", delimiter="\t"), {"format": "tsv", "delimiter": "\t", "columns": ODD}),
        ("a.log", csv_of("when,rel,what", delimiter="^"), {"format": "csv", "delimiter": "^", "columns": ODD}),
        (
            "a.log.gz",
            '{"when": 1795428000, "error": {"what": 404}, "rel": "5.9"}\n',
            {"format": "jsonl", "columns": {"ts": "when", "build": "rel", "code": "error.what"}},
        ),
        (
            "a.csv",
            "".join(line + "\n" for line in LINES),
            {"format": "csv", "delimiter": ",", "header": False, "columns": {"ts": 1, "build": 2, "code": 3}},
        ),
        # One of the names is known, and the column that is called so holds no time.
        (
            "a.csv",
            "time,rel,code,logged\n17,5.9,404,2026-11-23T10:00:00Z\n",
            {"format": "csv", "delimiter": ",", "columns": {"ts": "logged", "build": "rel", "code": "code"}},
        ),
        # Names hint where content does not decide.
        (
            "a.csv",
            "ip,app_version,host,err,at\n10.0.0.1,41,a,1,1795428000\n10.0.0.1,42,b,2,1795428001\n",
            {"format": "csv", "delimiter": ",", "columns": {"ts": "at", "build": "app_version", "code": "err"}},
        ),
        # What is different in each record is no code, and neither is what is always the same.
        (
            "a.csv",
            "id,area,when,rel,what\n" + "".join(f"x{n},eu,2026-11-23 10:00:0{n},5.9,{n % 2}\n" for n in range(6)),
            {"format": "csv", "delimiter": ",", "columns": ODD},
        ),
        (
            "a.csv",
            "day,clock,rel,what\n2026-11-23,10:00:00,5.9,404\n",
            {
                "format": "csv",
                "delimiter": ",",
                "columns": {"ts": ["day", "clock"], "build": "rel", "code": "what"},
            },
        ),
        ("2026-11-23.csv", "ts,build,code\n10:00:00,5.9,404\n", {"format": "csv", "delimiter": ",", "date": "name"}),
    ],
)
def test_the_keys_of_a_sample(shop: Shop, name: str, text: str, keys: dict[str, Any]) -> None:
    assert guessed(shop, name, text).keys == keys


def test_times_of_day_are_of_the_day_when_the_file_was_written(shop: Shop) -> None:
    path = shop.write("a.csv", b"ts,build,code\n10:00:00,5.9,404\n")
    os.utime(path, (1795428000, 1795428000))
    found = guess(shop.connection, path, shop.folder / "scratch")
    assert found.keys["date"] == "2026-11-23"
    assert "'ts', such as 10:00:00, times of day; assumed is date '2026-11-23', without a zone" in found.assumed[1]


def test_what_is_assumed_is_said(shop: Shop) -> None:
    assert guessed(shop, "a.csv", csv_of("when,rel,what").replace("\n", ",x\n")).assumed == [
        "format 'csv', delimiter ','",
        "time: 'when', such as 2026-11-23 10:00:00, without a zone; assumed is timezone 'UTC'",
        "build: 'rel', 2 different, such as 5.9, 5.10",
        "code: 'what', 2 different, such as 404, -17",
        "not read: 'x'",
    ]


def test_a_zone_is_not_assumed_where_there_is_one(shop: Shop) -> None:
    found = guessed(shop, "a.csv", "ts,build,code\n2026-11-23T10:00:00+01:00,5.9,404\n")
    assert found.assumed[1] == "time: 'ts', such as 2026-11-23T10:00:00+01:00"


@pytest.mark.parametrize(
    ("times", "time_format", "said"),
    [
        (["27.11.2026 14:00:05", "nothing"], None, None),
        (["27.11.2026 14:00:05"], "%d.%m.%Y %H:%M:%S", "; assumed is timezone"),
        (["nothing", *["27.11.2026 14:00:05"] * 9], "%d.%m.%Y %H:%M:%S", ""),
        (["27.11.2026 14:00:05,250"], "%d.%m.%Y %H:%M:%S,%n", ""),
        (["11/27/2026 2:00 PM"], "%m/%d/%Y %I:%M %p", ""),
        (["11/27/2026, 2:00:05PM"], "%m/%d/%Y, %I:%M:%S%p", ""),
        (["11/27/2026, 2:00:05\u202fPM"], "%m/%d/%Y, %I:%M:%S\u202f%p", ""),
        (["27-11-2026 14:00:05.5 +0100"], "%d-%m-%Y %H:%M:%S.%n %z", ""),
        # One day that is no month decides for all.
        (["05/11/2026 14:00", "05/27/2026 14:00"], "%m/%d/%Y %H:%M", ""),
        (["05/11/2026 14:00"], "%d/%m/%Y %H:%M", "; '%m/%d/%Y %H:%M' fits as well: check which of both is the day"),
        (["05/11/2026 2:00 pm"], "%m/%d/%Y %I:%M %p", "; '%d/%m/%Y %I:%M %p' fits as well"),
        # Forms that are read without it.
        (["27/Nov/2026:14:00:05 +0000"], None, "such as 27/Nov/2026:14:00:05 +0000"),
        (["2026/11/27 2:00:05 PM"], None, ""),
    ],
)
def test_a_format_is_found_for_times_that_need_one(
    shop: Shop, times: list[str], time_format: str | None, said: str | None
) -> None:
    text = "".join(json.dumps({"ts": one, "build": "5.9", "code": "404"}) + "\n" for one in times)
    if said is None:
        with pytest.raises(ConfigError, match="time_format"):
            guessed(shop, "a.jsonl", text)
        return
    found = guessed(shop, "a.jsonl", text)
    assert found.keys.get("time_format") == time_format
    assert (f"read by time_format {time_format!r}" in found.assumed[1]) == (time_format is not None)
    assert said in found.assumed[1]
    assert ("fits as well" in found.assumed[1]) == ("fits as well" in said)
    assert ("without a zone" in found.assumed[1]) == ("+" not in times[0])


def test_a_date_and_a_time_in_two_columns_may_need_a_format(shop: Shop) -> None:
    found = guessed(shop, "a.csv", "day,clock,rel,what\n27.11.2026,10:00:00,5.9,404\n")
    assert found.keys["columns"] == {"ts": ["day", "clock"], "build": "rel", "code": "what"}
    assert found.keys["time_format"] == "%d.%m.%Y %H:%M:%S"


def test_columns_of_parquet_have_types(shop: Shop) -> None:
    path = shop.folder / "a.parquet"
    select = "select timestamp '2026-11-23 10:00:00' + to_seconds(i) as w, 41 + i % 2 as build_no, i % 5 as e"
    duckdb.sql(f"{select} from range(20) as r(i)").write_parquet(str(path))
    found = guess(shop.connection, path, shop.folder / "scratch")
    assert found.keys == {"format": "parquet", "columns": {"ts": "w", "build": "build_no", "code": "e"}}
    assert found.assumed[1:] == [
        "time: 'w', such as 2026-11-23 10:00:00, without a zone; assumed is timezone 'UTC'",
        "build: 'build_no', 2 different, such as 41, 42",
        "code: 'e', 5 different, such as 0, 1, 2",
    ]


def test_a_file_that_is_no_parquet_is_named(shop: Shop) -> None:
    with pytest.raises(
        DamagedInputError, match=r"a\.parquet: cannot be read as Parquet: .*too small to be a Parquet"
    ) as raised:
        guessed(shop, "a.parquet", "PAR1")
    assert "/proc/" not in str(raised.value)


def test_a_name_that_is_no_text_is_no_column(shop: Shop) -> None:
    path = shop.write("a.csv", "when,rel,was,Größe\n2026-11-23 10:00:00,5.9,404,x\n".encode("latin-1"))
    assert guess(shop.connection, path, shop.folder / "scratch").keys["columns"] == {**ODD, "code": "was"}


def test_what_is_shown_is_short(shop: Shop) -> None:
    found = guessed(shop, "a.csv", f"ts,build,code\n2026-11-23 10:00:00,5.9,{'x' * 5000}\n")
    assert max(map(len, found.assumed)) < 300


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "when,rel,what\n28.11.26 um 17 Uhr,5.9,404\n",
            "no column can be ts; times of other forms need time_format, which is found for none of these; there are: "
            "'when' (28.11.26 um 17 Uhr), ",
        ),
        # Neither the first nor the second number is always a month.
        ("when,rel,what\n28/11/2026 17:03,5.9,404\n11/28/2026 17:03,5.9,404\n", "no column can be ts; "),
        (
            "when,rel,what\n",
            "no column can be ts; times of other forms need time_format, which is found for none of these; there are: ",
        ),
        (
            "when,rel\n2026-11-23 10:00:00,5.9\n",
            "no column can be code; there are: 'when' (2026-11-23 10:00:00), 'rel'",
        ),
        ("", "no column can be ts"),
    ],
)
def test_what_cannot_be_found_is_an_error(shop: Shop, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        guessed(shop, "a.csv", text)
    assert str(raised.value).startswith(f"{shop.folder / 'a.csv'}: {words}")


def test_zipped_samples_are_unpacked_elsewhere(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(csv_of("ts,build,code").encode()))
    guess(shop.connection, path, tmp_path / "scratch")
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "scratch"]
