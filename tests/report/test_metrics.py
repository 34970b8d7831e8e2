"""Figures for Prometheus: their text on literal values, valid by Prometheus' own checker, written after each run."""

import re
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from streammetrics.config import OutputSettings, RetentionSettings
from streammetrics.report import metrics
from streammetrics.report.metrics import Figures, render
from tests.histories import HOSTILE, history, regression
from tests.programs import program
from tests.release_day import ReleaseDay, scaled

NOON = datetime(2026, 11, 23, 12)
RUNNING = Path(__file__).parents[2] / "docs" / "running.md"
NASTY = 'a"b\\n\\c\nd{e="f"} 1'
"""Quotes, backslashes, a line end, and what looks like another sample."""


def check(*arguments: str, text: bytes = b"") -> str:
    """What promtool says; it has to agree."""
    command = [program("promtool", "prometheus"), "check", *arguments]
    done = subprocess.run(command, input=text, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return (done.stdout + done.stderr).decode()


def samples(path: Path) -> dict[str, float]:
    lines = path.read_text("utf-8").splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_whole_text() -> None:
    figures = Figures(
        (("1.0", "7", 1397), (NASTY, "é\u202e", 3)), 5, (("regression", "1.0", "1.1", 2),), 1, NOON, rejects=4,
        notices_waiting=1,
    )  # fmt: skip
    text = render(figures, NOON.replace(minute=1)).decode()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'streammetrics_errors_total{build="1.0",code="7"} 1397.0',
        'streammetrics_errors_total{build="a\\"b\\\\n\\\\c\\nd{e=\\"f\\"} 1",code="é\u202e"} 3.0',
        'streammetrics_open_incidents{baseline="1.0",candidate="1.1",rule="regression"} 2.0',
        'streammetrics_series_left_out{metric="streammetrics_errors_total"} 3.0',
        'streammetrics_series_left_out{metric="streammetrics_open_incidents"} 0.0',
        "streammetrics_last_run_timestamp_seconds 1.79543526e+09",
        "streammetrics_last_record_timestamp_seconds 1.7954352e+09",
        "streammetrics_rejects_total 4.0",
        "streammetrics_notices_waiting 1.0",
    ]
    assert re.findall("^# TYPE (.*)$", text, re.MULTILINE) == [
        "streammetrics_errors_total counter", "streammetrics_open_incidents gauge",
        "streammetrics_series_left_out gauge", "streammetrics_last_run_timestamp_seconds gauge",
        "streammetrics_last_record_timestamp_seconds gauge",
        "streammetrics_rejects_total counter", "streammetrics_notices_waiting gauge",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("text", [NASTY, HOSTILE, '"', "\\", "\\n", "\n", "\r", "", "#", "{}", "\x00", "é\U0001f600"])
def test_any_name_is_valid(text: str) -> None:
    figures = Figures(((text, text, 1), ("1.0", text, 2)), 2, ((text, text, text, 1),), 1, NOON)
    assert check("metrics", text=render(figures, NOON)) == ""


@pytest.mark.slow
def test_a_store_without_records_is_valid() -> None:
    assert check("metrics", text=render(Figures(), NOON)) == ""


@pytest.mark.slow
def test_the_rules_of_the_documentation_are_valid(tmp_path: Path) -> None:
    (rules,) = re.findall(r"```yaml\n(.*?)```", RUNNING.read_text("utf-8"), re.DOTALL)
    (tmp_path / "rules.yml").write_text(rules)
    assert "SUCCESS: 2 rules found" in check("rules", str(tmp_path / "rules.yml"))
    named = set(re.findall(r"streammetrics_\w+", rules))
    assert named <= set(re.findall(r"^# TYPE (\w+)", render(Figures(last_record_at=NOON), NOON).decode(), re.MULTILINE))
    table = set(re.findall(r"^\| `(streammetrics_\w+)`", RUNNING.read_text("utf-8"), re.MULTILINE))
    assert table == set(re.findall(r"^# TYPE (\w+)", render(Figures(last_record_at=NOON), NOON).decode(), re.MULTILINE))


@pytest.mark.slow
def test_series_are_few_and_the_largest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_SERIES", 2)
    with history(tmp_path / "s.duckdb", regression()).read() as connection:
        found = metrics.collect(connection)
    assert found == Figures(
        (("1.10", "7", 1200), ("1.9", "7", 1200)), 4,
        (("difference", "1.9", "1.10", 1), ("ratio", "1.9", "1.10", 1)), 2,
        datetime(2026, 11, 23, 0, 19, 59),
    )  # fmt: skip


@pytest.mark.slow
def test_a_run_writes_them_and_counters_never_go_down(tmp_path: Path) -> None:
    """Not even where retention removes all counters."""
    target = tmp_path / "streammetrics.prom"
    day = ReleaseDay.at(tmp_path, output=OutputSettings(metrics="streammetrics.prom"))
    builds = {"1.0": scaled(0.5), "1.1": scaled(0.5, login=4)}
    day.play(30, builds, at_once=True)
    assert check("metrics", text=target.read_bytes()) == ""
    first = samples(target)
    totals = day.rows("select build, code, sum(errors)::int from counters group by all")
    assert {f'streammetrics_errors_total{{build="{build}",code="{code}"}}': count for build, code, count in totals} == {
        name: value for name, value in first.items() if "errors_total{" in name
    }
    assert first['streammetrics_open_incidents{baseline="1.0",candidate="1.1",rule="regression"}'] == 1
    assert first["streammetrics_last_run_timestamp_seconds"] == 1795392000 + 1800
    assert 1795392000 + 1790 < first["streammetrics_last_record_timestamp_seconds"] < 1795392000 + 1800
    day.config = day.config.model_copy(update={"retention": RetentionSettings(events_days=1, counters_days=1)})
    for hours in (20, 40, 60):
        day.minute = hours * 60
        day.play(5, {"1.0": scaled(0.5), "1.1": scaled(0.5)}, at_once=True)
    assert day.rows("select count(*) from counters where second < timestamp '2026-11-23 12:00'") == [(0,)]
    day.run()
    assert {name for name, value in samples(target).items() if "_total" in name and value < first[name]} == set()
    assert [path.name for path in tmp_path.glob("*.prom*")] == ["streammetrics.prom"]


@pytest.mark.slow
def test_a_file_that_cannot_be_written_delays_nothing(tmp_path: Path) -> None:
    day = ReleaseDay.at(tmp_path, output=OutputSettings(dir="out", metrics="none/a.prom"))
    day.play(30, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=4)}, at_once=True)
    assert day.printed
    assert list((tmp_path / "out").glob("*.png"))
    assert day.run() == 74
    failed = f"the figures for Prometheus could not be written: {tmp_path}/none/a.prom: cannot be written: No such file"
    assert [line.startswith(failed) for _, line in day.reported] == [True, True]
