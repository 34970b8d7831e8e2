"""The table of docs/scaling.md."""

from pathlib import Path

import duckdb

from bench.scale import inputs, page
from bench.scale.page import Line, Step


def test_a_row_says_what_was_measured() -> None:
    line = Line(
        "an hour more", "Spark", 41_666, 40, 9_999, 7, Step(12.34, 99.6, 0.25), Step(5, 1234.5, 150.4), 2345.6, 9.9
    )
    table = page.page([line]).splitlines()
    (row,) = [text for text in table if text.startswith("| an hour more")]
    assert row == (
        "| an hour more, 7 days before | Spark | 41,666 | 40 | 9,999 | 12.3 | 5.0 | 1,234 | 2,346 | 0.2 | 150 | 10 |"
    )


def test_duckdb_has_no_cluster() -> None:
    line = Line("a day", "DuckDB", 10, 40, 9, 0, Step(1, 2), Step(3, 4), None, 5)
    assert line.cells() == ("a day", "DuckDB", "10", "40", "9", "1.0", "3.0", "4", "", "", "", "5")


def test_files_hold_an_hour_each(tmp_path: Path) -> None:
    inputs.write_hours(tmp_path, 1, 2, 7200, 40, "csv")
    query = """
        select min(ts)::timestamp, max(ts)::timestamp, count(*), count(distinct build), count(distinct code) > 20,
            count(*) filter (code = 'E1' and build = '5.9')
        from read_csv($path)
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        found = [connection.execute(query, {"path": str(path)}).fetchone() for path in sorted(tmp_path.iterdir())]
    assert len({row[5] for row in found if row}) == 2
    spans = [(str(row[0]), str(row[1]), *row[2:5]) for row in found if row]
    assert spans == [
        ("2026-11-23 01:00:00", "2026-11-23 01:59:59.500000", 7200, 2, True),
        ("2026-11-23 02:00:00", "2026-11-23 02:59:59.500000", 7200, 2, True),
    ]
