"""What is reported on stderr: mere words, or lines for programs that collect them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules import REFERENCE_TOML

LINES = (
    "ts,build,code\n2026-11-23 10:00:00,5.9,7\nyesterday\x1b[31m,5.9,SECRET-IN-A-RECORD\n2026-11-23 10:00:01,5.10,7\n"
)


def streammetrics(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streammetrics", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(REFERENCE_TOML)
    (tmp_path / "in\x1b[31m.csv").write_text(LINES)
    return tmp_path


@pytest.mark.slow
def test_json_lines_have_time_level_event_run_and_figures(folder: Path) -> None:
    done = streammetrics(folder, "--log-format", "json", "run", "in\x1b[31m.csv")
    read, requested, judged = [json.loads(line) for line in done.stderr.splitlines()]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read["ts"])
    assert (read["level"], read["event"], read["records"], read["rejected"]) == ("warning", "ingest.loaded", 2, 1)
    assert read["message"].endswith("in\\x1b[31m.csv: 2 accepted, 1 rejected; line 3: time cannot be read")
    assert (requested["level"], requested["event"], requested["times"]) == ("warning", "ingest.time_format", 1)
    assert (judged["level"], judged["event"], judged["new"]) == ("info", "detect.done", 0)
    assert read["run"] == judged["run"]
    assert "SECRET" not in done.stderr + done.stdout
    again = streammetrics(folder, "--log-format", "json", "run", "in\x1b[31m.csv")
    assert json.loads(again.stderr.splitlines()[0])["run"] != read["run"]


def test_an_error_that_ends_a_command_is_an_event(folder: Path) -> None:
    done = streammetrics(folder, "--log-format", "json", "export", "nothing", "--to", "x.csv")
    (event,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (event["level"], event["event"], event["exit_code"]) == ("error", "failed", done.returncode)


def test_an_unknown_format_names_those_that_there_are(folder: Path) -> None:
    done = streammetrics(folder, "--log-format", "xml", "status")
    assert done.returncode == 2
    assert "'xml' is not one of 'words', 'json'" in done.stderr
