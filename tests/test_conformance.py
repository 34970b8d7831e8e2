"""The reference data through the real command line: the figures of the reference program, but for its two known faults.

It never judges the bin that is open when the data end, and it compares floats that were not rounded: windows whose
exact mean is the threshold raise an alert or not, as the last bits fall.
"""

import csv
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from streammetrics.config import load
from streammetrics.store.connection import Store
from tests.oracles import mean_rules
from tests.oracles.mean_rules import Record
from tests.streams import current_alerts, second_of

pytestmark = pytest.mark.slow

DAY = datetime(2026, 11, 20)
CONFIG = """
[store]
path = "history.duckdb"

[[source]]
name = "set_a"
path = '{path}'
date = "2026-11-20"
# Its last line has no end, and a copy may be younger than the ten minutes after which that line counts by default.
last_line_seconds = 0

[[comparison]]
baseline = "5.0007.510.011"
candidate = "5.0007.610.011"

[[rule]]
name = "mean_ratio"
detector = "mean_ratio"
bin_seconds = 10
window_bins = [1, 5, 10]
threshold = 1.25

[[rule]]
name = "mean_difference"
detector = "mean_difference"
bin_seconds = 50
window_bins = [10, 20]
threshold = 6
"""


class Window(NamedTuple):
    start: datetime
    stop: datetime
    code: str
    window_bins: int


@pytest.fixture(scope="module")
def reference(reference_data: Path) -> Path:
    return reference_data / "set_a"


@pytest.fixture(scope="module")
def config(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config file whose store holds what `run` made of the reference set."""
    file = tmp_path_factory.mktemp("set_a") / "config.toml"
    file.write_text(CONFIG.format(path=reference / "ErrorStreamSetA.csv"), encoding="utf-8")
    streammetrics("run", config=file)
    streammetrics("export", "alerts", "--to", str(file.parent / "alerts.csv"), config=file)
    return file


@pytest.fixture(scope="module")
def final_config(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, after the input was declared over."""
    file = tmp_path_factory.mktemp("set_a_final") / "config.toml"
    file.write_bytes(config.read_bytes())
    (file.parent / "history.duckdb").write_bytes((config.parent / "history.duckdb").read_bytes())
    streammetrics("run", "--final", config=file)
    streammetrics("export", "alerts", "--to", str(file.parent / "alerts.csv"), config=file)
    return file


def streammetrics(*arguments: str, config: Path) -> str:
    """What a command says on stdout."""
    command = [sys.executable, "-m", "streammetrics", *arguments, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def select(config: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(config.parent / "history.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def alerts(config: Path, rule: str) -> dict[Window, float]:
    """The alerts that `export` wrote, by their window."""
    rows = (row for row in read(config.parent / "alerts.csv") if row["rule"] == rule)
    return by_window(rows, "start_ts", "stop_ts", datetime.fromisoformat)


def reference_alerts(reference: Path, rule: str) -> dict[Window, float]:
    return by_window(read(reference / f"{rule}_alerts.csv"), "start", "stop", moment)


def by_window(
    rows: Iterable[dict[str, str]], start: str, stop: str, moment: Callable[[str], datetime]
) -> dict[Window, float]:
    return {
        Window(moment(row[start]), moment(row[stop]), row["code"], int(row["window_bins"])): float(row["value"])
        for row in rows
    }


def read(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def moment(time_of_day: str) -> datetime:
    hours, minutes, seconds = map(int, time_of_day.split(":"))
    return DAY.replace(hour=hours, minute=minutes, second=seconds)


def assert_equal_within_nano(found: dict[Any, float], expected: dict[Any, float]) -> None:
    assert found.keys() == expected.keys()
    assert max(abs(found[key] - expected[key]) for key in expected) <= 1e-9


def test_every_record_is_read(config: Path) -> None:
    assert select(config, "select records, rejected, cast(min_ts as text), cast(max_ts as text) from batches") == [
        (14000, 0, "2026-11-20 00:00:00", "2026-11-20 01:00:00")
    ]
    assert select(config, "select count(*) from events") == [(14000,)]
    assert select(config, "select count(*) from rejects") == [(0,)]
    assert select(config, "select distinct state, revision from alerts") == [("current", 0)]


def test_counters_are_those_of_the_reference(config: Path, reference: Path) -> None:
    expected = {
        (moment(row["timestamp"]), *column.split("_Error_Code_")): int(errors)
        for row in read(reference / "per_second.csv")
        for column, errors in row.items()
        if column != "timestamp" and errors != "0"
    }
    found = {
        (second, build, code): errors
        for second, build, code, errors in select(config, "select second, build, code, errors from counters")
    }
    last_second = {key: found.pop(key) for key in list(found) if key[0] == moment("1:00:00")}
    assert found == expected
    assert sum(last_second.values()) == 14000 - sum(expected.values())


@pytest.mark.parametrize(("rule", "bins"), [("mean_ratio", 360), ("mean_difference", 72)])
def test_bins_are_those_of_the_reference(config: Path, reference: Path, rule: str, bins: int) -> None:
    """The reference has columns for all codes from -17 to 15; no record has -16, and its bins are those of silence."""
    expected = {
        (moment(row["Timestamp"]), code): float(value)
        for row in read(reference / f"{rule}_bins.csv")
        for code, value in row.items()
        if code != "Timestamp"
    }
    assert len(expected) == bins * 33
    found, silence = {}, {}
    for start, code, value, active_seconds in select(
        config,
        "select make_timestamp(bin_second * 1000000), code, value, active_seconds from bins\n"
        f"where rule = '{rule}' and bin_second < epoch(timestamp '{moment('1:00:00')}')",
    ):
        found[start, code] = float(value)
        silence[start, "-16"] = active_seconds / 10 if rule == "mean_ratio" else 0.0
    assert_equal_within_nano(found | silence, expected)
    assert len(found) == bins * 32


def test_alerts_are_those_of_the_reference_but_for_exact_ties(config: Path, reference: Path) -> None:
    expected = reference_alerts(reference, "mean_ratio")
    assert len(expected) == 8010
    ties = {window for window, value in expected.items() if abs(value - 1.25) < 1e-9}
    assert len(ties) == 30
    found = alerts(config, "mean_ratio")
    assert_equal_within_nano(found, {window: value for window, value in expected.items() if window not in ties})


def test_difference_alerts_are_those_of_the_reference(config: Path, reference: Path) -> None:
    expected = reference_alerts(reference, "mean_difference")
    assert len(expected) == 157
    assert_equal_within_nano(alerts(config, "mean_difference"), expected)


def test_final_pass_adds_the_bins_that_the_reference_leaves_open(config: Path, final_config: Path) -> None:
    """The baseline's last record is of 0:59:59, the candidate's of 1:00:00: in the last bin one second is active."""
    added = {}
    for rule in ("mean_ratio", "mean_difference"):
        before, after = alerts(config, rule), alerts(final_config, rule)
        assert before.items() <= after.items()
        added[rule] = Counter(str(window.stop.time()) for window in after.keys() - before.keys())
    assert added == {
        "mean_ratio": {"00:59:50": 24, "01:00:00": 10},
        "mean_difference": {"00:59:10": 2, "01:00:00": 2},
    }


def test_oracle_agrees_on_the_reference_set(config: Path, final_config: Path) -> None:
    """What other tests hold the SQL against is itself held against the reference, by way of the SQL."""
    for file, is_final in ((config, False), (final_config, True)):
        with Store(file.parent / "history.duckdb").read() as connection:
            records = [
                Record(second_of(ts), build, code)
                for ts, build, code in connection.exec_driver_sql("select ts, build, code from events")
            ]
            connection.rollback()
            assert current_alerts(connection) == mean_rules.alerts(records, load(file), is_final=is_final)


def test_incidents_of_the_difference_are_exactly_the_broken_codes(config: Path, final_config: Path) -> None:
    for file in (config, final_config):
        csv_text = streammetrics(
            "query",
            "select distinct code from incidents where rule = 'mean_difference' order by code",
            "--format",
            "csv",
            config=file,
        )
        assert csv_text.split() == ["code", "2", "3", "4"]


def test_example_of_the_reference(config: Path) -> None:
    window = Window(moment("0:59:00"), moment("0:59:40"), "3", 5)
    assert alerts(config, "mean_ratio")[window] == 1.9


@pytest.mark.parametrize(("comparison", "reported"), [('exposure = "equal"', "0:10:00"), ("", "0:12:00")])
def test_default_rule_opens_incidents_for_exactly_the_broken_codes(
    reference: Path, tmp_path: Path, comparison: str, reported: str
) -> None:
    """Where exposure is estimated, the codes that are broken from the first second on have part in the estimate."""
    file = tmp_path / "config.toml"
    settings = CONFIG.format(path=reference / "ErrorStreamSetA.csv").split("[[comparison]]")[0]
    file.write_text(f"{settings}[[comparison]]\n{comparison}\n", encoding="utf-8")
    streammetrics("run", config=file)
    found = select(file, "select rule, code, count(*), min(alerts) > 0 from incidents group by all order by all")
    assert found == [("regression", code, 1, True) for code in ("2", "3", "4")]
    # The rates differ from the first second on; nothing is known of bursts yet.
    (first,) = select(file, "select min_by(code, end_ts), min(end_ts) from alerts")
    assert first[0] == "3"
    assert first[1] <= moment(reported)
    streammetrics("run", "--final", config=file)
    assert select(file, "select distinct code from incidents order by code") == [("2",), ("3",), ("4",)]
