"""1,000 builds and 10,000 codes take less than 2 GB, or are refused with what to do."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

BUILDS, CODES = count(50, 1_000), count(500, 10_000)
MOST_MEGABYTES = 2_000

# An hour in which each build sends each code about once, in any order.
STREAM = """
copy (
    select
        strftime(timestamp '2026-11-23' + to_milliseconds(i * 3600000 // $records), '%Y-%m-%d %H:%M:%S') as ts,
        '5.' || i % $builds as build, 'E' || hash(i // $builds) % $codes as code
    from range($records) as records (i)
) to '{path}' (format csv, header)
"""
COMMANDS = (
    ("ingest", "stream.csv"),
    ("detect",),
    ("status",),
    ("heatmap", "--to", "heatmap.png", "--since", "2026-11-23T00:50"),
    ("query", "select count(*) from counters_wide"),
    ("export", "counters_wide", "--to", "wide.csv", "--until", "2026-11-23T00:05"),
)


def measured(folder: Path, *arguments: str) -> tuple[int, float, str]:
    """Exit code, the process's peak memory (MB), and what it printed."""
    output = folder / "output.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "streammetrics", *arguments], cwd=folder, stdout=stream, stderr=subprocess.STDOUT
        )
        _, state, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(state)
    megabytes = used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return process.returncode, megabytes, output.read_text()


def test_every_command_stays_within_memory(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    numbers = {"builds": BUILDS, "codes": CODES, "records": BUILDS * CODES}
    with duckdb.connect() as connection:
        connection.execute(STREAM.format(path=tmp_path / "stream.csv"), numbers)
    seen = {}
    for command in COMMANDS:
        code, megabytes, output = measured(tmp_path, *command)
        assert code == 0, output
        assert "Traceback" not in output
        assert megabytes < MOST_MEGABYTES, command
        seen[command[0]] = round(megabytes)
        if command[0] == "ingest":
            assert "counters_wide shows the 1,000 most frequent of " in output
    record_property("seen", f"{BUILDS:,} builds x {CODES:,} codes: {seen} MB")
