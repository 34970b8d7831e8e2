"""The table of docs/scaling.md."""

import csv
from pathlib import Path

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
    hours = []
    for path in sorted(tmp_path.iterdir()):
        with path.open(newline="", encoding="utf-8") as stream:
            hours.append(list(csv.DictReader(stream)))
    assert [(len(rows), rows[0]["ts"], rows[-1]["ts"]) for rows in hours] == [
        (7200, "2026-11-23T01:00:00.000Z", "2026-11-23T01:59:59.500Z"),
        (7200, "2026-11-23T02:00:00.000Z", "2026-11-23T02:59:59.500Z"),
    ]
    assert [len({row["build"] for row in rows}) for rows in hours] == [2, 2]
    assert all(len({row["code"] for row in rows}) > 20 for rows in hours)
    shares = {sum((row["code"], row["build"]) == ("E1", "5.9") for row in rows) for rows in hours}
    assert len(shares) == 2, "no hour repeats another"
