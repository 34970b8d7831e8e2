"""Monstrous files, each through the real program: the memory stays bounded, and the rest of the file loads."""

from pathlib import Path
from typing import Any

import pytest

from bench.measure import python
from streammetrics import config as configuration
from streammetrics.store.connection import Store

pytestmark = [pytest.mark.reliability, pytest.mark.slow]

GOOD = "2026-11-23 10:00:00,5.9,7\n"
MOST_MB = 512


def write(path: Path, name: str) -> tuple[int, int]:
    """A file of the kind; how many records of it can be read, and how many cannot."""
    if name == "a line of 10 MB":
        path.write_text(f"ts,build,code\n{GOOD}{'x' * 10_000_000}\n{GOOD}")
        return 2, 1
    if name == "10 MB without a line end":
        path.write_text(f"ts,build,code\n{GOOD}{'x' * 10_000_000}")
        return 1, 1
    if name == "10,000 columns":
        header = ",".join(["ts", "build", "code", *(f"x{n}" for n in range(10_000))])
        row = GOOD.rstrip() + "," + ",".join("0" * 10_000) + "\n"
        path.write_text(f"{header}\n{row * 50}{GOOD}{row}")
        return 51, 1
    path.write_text("" if name == "0 bytes" else "ts,build,code\n")
    return 0, 0


@pytest.mark.parametrize("name", ["a line of 10 MB", "10 MB without a line end", "10,000 columns", "0 bytes", "header"])
def test_memory_is_bounded_and_the_rest_loads(tmp_path: Path, name: str, record_property: Any) -> None:
    expected = write(tmp_path / "monster.csv", name)
    (tmp_path / "other.csv").write_text(f"ts,build,code\n{GOOD.replace('10:', '11:')}")
    path = tmp_path / "config.toml"
    path.write_text('[store]\npath = "s.duckdb"\n[[source]]\nname = "feed"\npath = "*.csv"\nlast_line_seconds = 0\n')
    peak_mb = float(python("bench.peak", "streammetrics", "ingest", "--config", path).printed)
    assert peak_mb < MOST_MB
    with Store(configuration.load(path, {}).store_path).read() as connection:
        rows = connection.exec_driver_sql("select path, records, rejected from batches").all()
    found = {Path(where).name: (records, rejected) for where, records, rejected in rows}
    assert found == {"monster.csv": expected, "other.csv": (1, 0)}
    record_property("seen", f"{name}: {peak_mb:.0f} MB")
