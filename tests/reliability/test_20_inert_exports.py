"""A spreadsheet that opens an export runs none of its cells, and numbers stay numbers."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from streammetrics.query.export import export
from streammetrics.store.connection import Store
from tests.ingest.feeding import Shop
from tests.reliability.conftest import count
from tests.reliability.names import hostile_names

pytestmark = pytest.mark.reliability

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What OWASP's page on CSV injection names; the last four are full-width."""
FORMULAS = (
    "1+1",
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://x")',
    "5-3",
    "1;2",
    "",
    "5,7",
    "A1",
    "SUM(1)",
    "--1",
    "1e5e5",
)
NUMBERS = ("-5", "+5", "-17", "0", "-0.5", "+1e5", "-1.25E-3", "007", "404", "-9223372036854775809")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The codes that were stored, and the folder with their exports."""
    folder = tmp_path_factory.mktemp("cells")
    codes = [sign + rest for sign in SIGNS for rest in FORMULAS if (sign + rest) not in NUMBERS]
    codes = list(dict.fromkeys([*codes, *NUMBERS, "E_TIMEOUT", "'=1", *hostile_names(count(120, 2000))]))
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = [(f"2026-11-23 10:{n // 60 % 60:02}:{n % 60:02}", "=5.9", code) for n, code in enumerate(codes)]
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("ts", "build", "code"), *rows])
    store = Store(folder / "s.duckdb")
    with store.write() as connection:
        (outcome,) = Shop(connection, folder).feed(folder / "in.csv")
    assert outcome.records == len(codes)
    for relation in ("events", "counters_wide", "batches"):
        export(store, relation, folder / f"{relation}.csv")
    return codes, folder


def cells(path: Path) -> list[list[str]]:
    before = csv.field_size_limit(10**7)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.reader(stream))
    finally:
        csv.field_size_limit(before)


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and cell.strip() == cell and "_" not in cell


@pytest.mark.parametrize("relation", ["events", "counters_wide", "batches"])
def test_no_cell_begins_a_formula(
    exported: tuple[list[str], Path], relation: str, record_property: Callable[[str, object], None]
) -> None:
    found = [cell for row in cells(exported[1] / f"{relation}.csv") for cell in row]
    assert [cell for cell in found if cell.startswith(SIGNS) and not is_number(cell)] == []
    record_property("seen", f"{relation}: {len(found):,} cells, none a formula")


def test_cells_lose_nothing_but_the_mark_before_them(exported: tuple[list[str], Path]) -> None:
    codes, folder = exported
    header, *rows = cells(folder / "events.csv")
    found = [row[header.index("code")] for row in rows]
    assert [cell.removeprefix("'") if cell not in codes else cell for cell in found] == codes
    assert {cell for cell in found if cell != code_of(cell, codes)} == {
        "'" + c for c in codes if c.startswith(SIGNS) and not is_number(c)
    }


def code_of(cell: str, codes: list[str]) -> str:
    return cell if cell in codes else cell.removeprefix("'")


def test_numbers_stay_numbers(exported: tuple[list[str], Path]) -> None:
    header, *rows = cells(exported[1] / "events.csv")
    found = {row[header.index("code")] for row in rows}
    assert found >= set(NUMBERS)
