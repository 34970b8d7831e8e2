"""A code is text, and comes out as it went in, through every format there is."""

import csv
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from streammetrics.query.export import export
from streammetrics.store.connection import Store
from tests.ingest.feeding import Shop, shop_in
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

CODES = (
    "-5", "E42", "007", "9223372036854775808", "", "😀", "-0", "+5", "5.0", "5.70", "1e5", "0x1F", "1_000", " 7",
    "7 ", "NULL", "null", "None", "nan", "NaN", "inf", "true", "\\N", "\\0NULL\\0", "'", '"', '""', "a,b", "a;b",
    "a|b", "a\tb", "a\nb", "a\r\nb", "back\\slash", "%s", "{}", "$1", "?", "--", "/*", "é", "e\u0301", "İ", "ß", "ﬁ",
    "\u202e", "\u200b", "👩\u200d👩\u200d👧", "\ufeff", "\x7f", "\x01", "-17", "404", "E_TIMEOUT",
    "170141183460469231731687303715884105728", "x" * 1000,
)  # fmt: skip
LETTERS = "09aZ -_.,;:'\"\\/|\t\né😀中\u0301{}[]$%#@!?=+"
Writer = Callable[[Path, list[str]], None]


def drawn(number: int) -> list[str]:
    """The codes that are often lost, and so many of any letters; no two are the same."""
    dice = random.Random(11)
    random_codes = ("".join(dice.choices(LETTERS, k=dice.randint(1, 12))) for _ in range(number))
    return list(dict.fromkeys([*CODES, *random_codes]))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_in(tmp_path) as found:
        yield found


def stored(shop: Shop) -> list[str]:
    return [code for (code,) in shop.rows("select code from events order by ts")]


def moment(place: int) -> str:
    return f"2026-11-23 {place // 3600:02}:{place // 60 % 60:02}:{place % 60:02}"


def write_csv(path: Path, codes: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerows([("ts", "build", "code"), *((moment(n), "5.9", code) for n, code in enumerate(codes))])


def write_jsonl(path: Path, codes: list[str]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for n, code in enumerate(codes):
            stream.write(json.dumps({"ts": moment(n), "build": "5.9", "code": code}, ensure_ascii=n % 2 == 0) + "\n")


def write_parquet(path: Path, codes: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t (ts text, build text, code text)")
        connection.executemany(
            "insert into t values (?, '5.9', ?)", [(moment(n), code) for n, code in enumerate(codes)]
        )
        connection.execute(f"copy t to '{path}' (format parquet)")


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.csv", write_csv), ("plain.csv", write_csv), ("a.jsonl", write_jsonl), ("a.parquet", write_parquet)],
)
def test_codes_are_read_as_they_are(
    shop: Shop, name: str, write: Writer, record_property: Callable[[str, object], None]
) -> None:
    codes = drawn(count(400, 20_000))
    if name == "plain.csv":
        # Nothing that DuckDB's reader is not trusted with.
        codes = [code for code in codes if code.isprintable() and code.strip() == code and '"' not in code]
    write(shop.folder / name, codes)
    (outcome,) = shop.feed(shop.folder / name)
    assert (outcome.records, outcome.rejected) == (len(codes), 0)
    assert stored(shop) == codes
    record_property("seen", f"{len(codes):,} codes through {name}, all exact")


def test_numbers_keep_their_digits(shop: Shop) -> None:
    numbers = ["-5", "7", "9223372036854775808", "5.70", "1e400", "0.1000"]
    lines = "".join(f'{{"ts": "{moment(n)}", "build": 5.10, "code": {text}}}\n' for n, text in enumerate(numbers))
    shop.feed_text(lines, "n.jsonl")
    # As a code 5.70 is what 5.7 is; of builds the digits stay.
    assert stored(shop) == [*numbers[:3], "5.7", "1e400", "0.1"]
    assert shop.rows("select distinct build from events") == [("5.10",)]
    shop.clear()
    path = shop.folder / "n.parquet"
    values = (
        "select '2026-11-23 10:00:00' as ts, 'a' as build, unnest([-5, 9223372036854775808::decimal(38, 0)]) as code"
    )
    with duckdb.connect() as connection:
        connection.execute(f"copy ({values}) to '{path}' (format parquet)")
    shop.feed(path)
    assert sorted(stored(shop)) == ["-5", "9223372036854775808"]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_codes_are_exported_as_they_are_and_read_again(tmp_path: Path, suffix: str) -> None:
    """In CSV but for what a spreadsheet would run; that is test 20's."""
    codes = [code for code in drawn(count(200, 5000)) if suffix != ".csv" or not code.startswith(tuple("=+-@\t\r\n"))]
    codes += ["-5", "-17", "-0", "+5"]
    codes = list(dict.fromkeys(codes))
    store = Store(tmp_path / "s.duckdb")
    with store.write() as connection:
        shop = Shop(connection, tmp_path)
        write_csv(tmp_path / "in.csv", codes)
        shop.feed(tmp_path / "in.csv")
    target = tmp_path / f"out{suffix}"
    assert export(store, "events", target) == len(codes)
    with shop_in(tmp_path) as second:
        second.feed(target)
        assert stored(second) == codes
