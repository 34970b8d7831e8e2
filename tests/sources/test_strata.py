"""One version on two platforms is two builds, each of its platform's family."""

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import polars
import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, Source, StoreSettings
from streammetrics.errors import ConfigError
from streammetrics.runtime.progress import Progress
from streammetrics.sources.tail import Tail
from streammetrics.store import builds
from tests.ingest.databases.feeding import Reader
from tests.ingest.feeding import NOW, Shop
from tests.streams import MONDAY, moment_of

ROWS = [("2026-11-23 10:00:00", "5.9", "7"), ("2026-11-23 10:00:01", "", "7"), ("2026-11-23 10:00:02", "Canary", "")]

COLUMN: dict[str, Any] = {"columns": {"stratum": "platform"}}
STRATA = [
    ("2026-11-23 10:00:00", "ios", "5.9", "E user 1"),
    ("2026-11-23 10:00:01", "", "5.9", "E user 2"),
    ("2026-11-23 10:00:02", None, "5.10", "-17"),
    ("2026-11-23 10:00:03", "android", "5.10", "-17"),
    ("2026-11-23 10:00:04", "ios", "", "7"),
    ("2026-11-23 10:00:05", "ios", "x" * 997, "7"),
]
TOO_LONG = "its build is longer than 1,000 characters"


def write(path: Path, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Path:
    """A file of the kind that its name says; values that are None are left out, or empty."""
    if path.suffix == ".parquet":
        polars.DataFrame(rows, names, orient="row").write_parquet(path)
    elif path.suffix == ".jsonl":
        records = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        sign = "\t" if path.suffix == ".tsv" else ","
        quote = '"' if path.name.startswith("quoted") else ""
        lines = [names, *([f"{quote}{value or ''}{quote}" for value in row] for row in rows)]
        path.write_text("".join(sign.join(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("name", ["quick.csv", "careful.csv", "errors.jsonl", "errors.parquet"])
def test_the_stratum_of_a_source_stands_before_its_builds(shop: Shop, name: str) -> None:
    rows = [ROWS[0], ROWS[2]] if name.startswith("quick") else ROWS
    path = write(shop.folder / name, ("ts", "build", "code"), rows)
    (outcome,) = shop.feed(path, stratum="iOS")

    assert [build for _, build, _ in shop.events()] == ["iOS/5.9", "iOS/Canary"]
    assert shop.rows("select distinct build from counters order by all") == [("iOS/5.9",), ("iOS/Canary",)]
    assert [reason for _, reason, _ in shop.rejects()] == ["has no build"] * outcome.rejected
    assert outcome.rejected == (0 if name.startswith("quick") else 1)


def test_two_strata_are_two_families(shop: Shop) -> None:
    for stratum in ("ios", "android", None):
        path = shop.write(f"{stratum}.csv", f"ts,build,code\n{NOW},5.9,{stratum}\n{NOW},5.10,1\n".encode())
        shop.feed(path, stratum=stratum)
    with shop.connection.begin():
        found = [(place.family, place.build) for place in builds.in_order_of(shop.connection)]
    assert found == [
        ("", "5.9"), ("", "5.10"),
        ("android", "android/5.9"), ("android", "android/5.10"),
        ("ios", "ios/5.9"), ("ios", "ios/5.10"),
    ]  # fmt: skip


@pytest.mark.parametrize("is_small", [True, False], ids=["small", "large"])
@pytest.mark.parametrize("name", ["errors.csv", "quoted.csv", "errors.tsv", "errors.jsonl", "errors.parquet"])
def test_a_column_has_the_stratum(shop: Shop, name: str, is_small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_small:
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    path = write(shop.folder / name, ("ts", "platform", "build", "code"), STRATA)
    shop.feed(path, code_pattern="^([A-Z]+)", **COLUMN)
    assert [event[1:] for event in shop.events()] == [
        ("ios/5.9", "E"),
        ("5.9", "E"),
        ("5.10", "-17"),
        ("android/5.10", "-17"),
    ]
    assert [reason for _, reason, _ in shop.rejects()] == ["has no build", TOO_LONG]
    # A stratum is no part of a build that fits exactly.
    assert len("ios/" + STRATA[-1][2]) == 1001


def test_a_column_of_a_database_has_the_stratum(shop: Shop) -> None:
    with sqlite3.connect(shop.folder / "e.db") as database:
        database.execute("create table errors (id integer primary key, ts, platform, build, code)")
        database.executemany("insert into errors (ts, platform, build, code) values (?, ?, ?, ?)", STRATA)
        database.execute("insert into errors values (7, '2026-11-23 10:00:06', x'ff', '5.9', '7')")
        database.execute("insert into errors values (8, '2026-11-23 10:00:07', 'iOS 17', '5.9', '7')")
    url = f"sqlite:///{shop.folder / 'e.db'}"
    reader = Reader(shop.connection, shop.folder, {"url": url, "table": "errors", **COLUMN})
    reader.ingest(code_pattern="^([A-Z]+)")
    assert [build for _, build, _ in shop.events()] == ["ios/5.9", "5.9", "5.10", "android/5.10"]
    assert [reason for _, reason, _ in reader.rejects()] == [
        "has no build",
        TOO_LONG,
        "stratum is neither text nor a number",
        "stratum is no word of letters: 'iOS 17'",
    ]
    # No row is taken again, whether or not it has a stratum.
    assert reader.ingest(overlap=100).state == "skipped"


def test_columns_by_position(shop: Shop) -> None:
    columns = {"ts": 1, "stratum": 2, "build": 3, "code": 4}
    shop.feed_text(f"{NOW},ios,5.9,7\n{NOW},,5.9,8\n", header=False, columns=columns)
    assert [build for _, build, _ in shop.events()] == ["5.9", "ios/5.9"]


def test_other_values_of_json_and_parquet(shop: Shop) -> None:
    """What is no word of letters is a reject: the family of a build ends where digits begin."""
    values = ["7", '"iOS 17.1"', '"iOS pro"', "null", '{"os": "ios"}', "true"]
    lines = [f'{{"ts": "{NOW}", "build": "5.9", "code": 1, "platform": {value}}}\n' for value in values]
    shop.feed_text("".join(lines), "errors.jsonl", **COLUMN)
    polars.DataFrame({"ts": [NOW], "build": ["5.9"], "code": [1], "platform": [[1]]}).write_parquet(
        path := shop.folder / "errors.parquet"
    )
    shop.feed(path, **COLUMN)
    assert [build for _, build, _ in shop.events()] == ["5.9", "iOS pro/5.9"]
    assert [reason for _, reason, _ in shop.rejects()] == [
        "stratum is no word of letters: '7'",
        "stratum is no word of letters: 'iOS 17.1'",
        *["stratum is neither text nor a number"] * 3,
    ]


def test_a_column_that_is_missing(shop: Shop) -> None:
    """It is named, but in JSON, where each record has keys of its own; and so it is of a header in the middle."""
    text = f"ts,build,code\n{NOW},5.9,7\n"
    outcome = shop.feed_text(text, **COLUMN)
    assert isinstance(outcome.error, ConfigError)
    assert 'no column for stratum (set to "platform"); the columns found are: "ts", "build", "code"' in outcome.message
    assert shop.feed_text(f'{{"ts": "{NOW}", "build": "5.9", "code": 7}}\n', "errors.jsonl", **COLUMN).records == 1
    shop.feed_text(f"ts,build,code,platform\n{NOW},5.9,8,ios\n{text}", "two.csv", **COLUMN)
    assert [event[1:] for event in shop.events()] == [("5.9", "7"), ("ios/5.9", "8")]
    assert [reason.partition(" a ")[2] for _, reason, _ in shop.rejects()] == [
        "header without a column for stratum",
        "header without a column for stratum",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "incidents"), [({}, ["ANR"]), ({"stratum": "platform"}, [])])
def test_two_platforms_in_one_file(
    tmp_path: Path, columns: dict[str, str], incidents: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.10 has a fifth of the users on one platform and four fifths on the other, and is no worse on either."""
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    dice, lines = random.Random(1), ["ts,platform,build,code"]
    seconds = 3600
    for second in range(seconds):
        for platform, share, code in (("ios", 0.2, "WATCHDOG"), ("android", 0.8, "ANR")):
            for kind in (code, "NET"):
                build = "5.10" if dice.random() < share else "5.9"
                lines.append(f"{moment_of(MONDAY + second)},{platform},{build},{kind}")
    (tmp_path / "errors.csv").write_text("\n".join(lines) + "\n")
    source = Source.model_validate({"name": "clients", "path": "*.csv", "columns": columns})
    comparison = Comparison(baseline="previous", candidate="latest", exposure="estimated")
    store = StoreSettings(path="s.duckdb")
    config = Config(store=store, source=(source,), comparison=(comparison,), base=tmp_path)
    printed: list[str] = []
    session = Session(config, Progress(False, lambda _: None), printed.append, lambda: moment_of(MONDAY + seconds))
    assert pipeline.run(session, is_final=True, exit_code=False) == 0
    assert [line.split()[2] for line in printed if line.startswith("OPENED")] == incidents
