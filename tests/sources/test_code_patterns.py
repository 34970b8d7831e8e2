"""Of codes that hold ids what `code_pattern` matches is kept."""

import json

import polars
import pytest
from pydantic import ValidationError

from streammetrics.config import Source
from streammetrics.report import warnings
from tests.ingest.feeding import NOW, Shop

ROWS = [(str(NOW), "5.9", code) for code in ("E_TIMEOUT user 123", "E_TIMEOUT user 124", "-17", "404")]


@pytest.mark.parametrize("name", ["errors.csv", "quoted.csv", "errors.jsonl", "errors.parquet"])
def test_the_group_of_the_pattern_is_kept(shop: Shop, name: str) -> None:
    path = shop.folder / name
    if name.endswith("parquet"):
        polars.DataFrame(ROWS, ["ts", "build", "code"], orient="row").write_parquet(path)
    elif name.endswith("jsonl"):
        path.write_text(
            "".join(json.dumps(dict(zip(("ts", "build", "code"), row, strict=True))) + "\n" for row in ROWS)
        )
    else:
        quote = '"' if name.startswith("quoted") else ""
        path.write_text("ts,build,code\n" + "".join(f"{ts},{build},{quote}{code}{quote}\n" for ts, build, code in ROWS))
    shop.feed(path, code_pattern="^([A-Z_]+)")
    assert sorted(code for _, _, code in shop.events()) == ["-17", "404", "E_TIMEOUT", "E_TIMEOUT"]
    assert shop.rows("select code, errors from counters order by all") == [("-17", 1), ("404", 1), ("E_TIMEOUT", 2)]


@pytest.mark.parametrize("pattern", ["(", "[A-Z]+", "([A-Z]+) ([0-9]+)"])
def test_a_pattern_has_one_group(pattern: str) -> None:
    with pytest.raises(ValidationError, match="one group in parentheses"):
        Source(name="clients", path="*.csv", code_pattern=pattern)


@pytest.mark.parametrize(("codes", "is_reported"), [(120, True), (90, False)])
def test_codes_that_are_seen_once_are_reported(shop: Shop, codes: int, is_reported: bool) -> None:
    with shop.connection.begin():
        shop.connection.exec_driver_sql(
            "insert into counters select timestamp '2026-11-23 10:00:00', '5.9', 'user ' || n, 1, 1 from range(?) t(n)",
            (codes,),
        )
        found = list(warnings._ids(shop.connection, 1795431600))
    assert bool(found) == is_reported
