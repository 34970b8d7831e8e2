"""The published file: what it holds, who may keep it open, and what a failure leaves."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streammetrics.config import DEFAULT_RULES, Config, Exposure, PublishSettings, StoreSettings
from streammetrics.query import publish, time_range
from tests.histories import history, regression
from tests.oracles.mean_rules import Record
from tests.release_day import ReleaseDay, scaled
from tests.reliability import program
from tests.reliability.conftest import count
from tests.rules import REFERENCE
from tests.streams import MONDAY, load

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 12)
ANALYSTS = Path(__file__).parents[2] / "docs" / "analysts.md"
TABLES = ("alerts", "incidents", "alert_revisions", "notices", "counters", "builds", "batches")


def settings(folder: Path, **publishing: Any) -> Config:
    return Config(
        rule=REFERENCE,
        store=StoreSettings(path="s.duckdb"),
        publish=PublishSettings(path="p.duckdb", **publishing),
        base=folder,
    )


def read(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def columns(path: Path, table: str) -> list[str]:
    return [row[0] for row in read(path, f"describe {table}")]


def assert_published(day: ReleaseDay) -> None:
    """The file holds what the store holds; `bins` are those of the view over all history."""
    path = day.folder / "p.duckdb"
    for table in TABLES:
        assert Counter(read(path, f"from {table}")) == Counter(day.rows(f"from {table}")), table
    # A portion has no rows of zeros of codes that are far from it.
    listed = f"select {', '.join(columns(path, 'bins'))} from bins where baseline_errors + candidate_errors > 0"
    published, viewed = Counter(read(path, listed)), Counter(day.rows(listed))
    assert published - viewed == Counter()
    assert viewed - published == Counter()
    assert published


def test_bins_that_are_kept_are_those_of_the_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New records, late ones, a silence, a release, other users, another rule: whatever changes bins of the past."""
    monkeypatch.setattr(time_range, "PORTION_SECONDS", 3600)
    monkeypatch.setattr(publish, "PORTION_SECONDS", 3600)
    publishing = PublishSettings(path="p.duckdb", every_seconds=0)
    day = ReleaseDay.at(tmp_path, rule=(*DEFAULT_RULES, *REFERENCE), publish=publishing)
    builds = {"1.0": scaled(0.5), "1.1": scaled(0.5, login=3)}
    day.play(150, builds, at_once=True)
    assert_published(day)
    late = [Record(MONDAY + 3000 + 7 * number, "1.1", "sync") for number in range(300)]
    day.play(5, builds, late, every=5)
    assert_published(day)
    day.play(90, {"1.0": scaled(0.5)}, at_once=True)
    day.play(60, {"1.0": scaled(0.3), "1.1": scaled(0.3), "1.2": scaled(0.4)}, every=60)
    assert_published(day)
    users = tuple(Exposure(build=build, users=count) for build, count in (("1.0", 300), ("1.1", 200)))
    day.config = day.config.model_copy(update={"exposure": users})
    day.play(5, builds, every=5)
    assert_published(day)
    day.config = day.config.model_copy(update={"rule": DEFAULT_RULES})
    day.play(5, builds, every=5)
    assert_published(day)


def test_only_bins_that_may_have_changed_are_computed(tmp_path: Path) -> None:
    """A mark in the former file shows what was copied."""
    store, config = history(tmp_path / "s.duckdb", regression(4 * 3600)), settings(tmp_path)
    target = tmp_path / "p.duckdb"
    publish.publish(store, config, target, lambda: NOW)
    target.chmod(0o644)
    with duckdb.connect(str(target)) as connection:
        connection.execute("update bins set candidate_errors = -1")
    publish.publish(store, config, target, lambda: NOW)
    marked = "select max(bin_second), min(bin_second) from bins where candidate_errors = -1"
    # The newest record, whose bins end 50 s later, less an hour and two minutes.
    assert read(target, marked) == [(MONDAY + 4 * 3600 + 50 - 3720 - 10, MONDAY)]
    # With other relations nothing is copied, for the former file may lack bins.
    publish.publish(store, settings(tmp_path, relations=("bins",)), target, lambda: NOW)
    assert read(target, "select count(*) from bins where candidate_errors = -1") == [(0,)]


BINS = "bins where baseline_errors > 0"
"""Without rows of zeros, of bins that a window of a mean looks back on."""


def test_days_count_from_the_newest_record(tmp_path: Path) -> None:
    records = [Record(MONDAY + hour * 3600 + second, build, "7") for hour in range(49) for second in range(30)
               for build in ("1.9", "1.10")]  # fmt: skip
    store, target = history(tmp_path / "s.duckdb", records), tmp_path / "p.duckdb"
    names = ("counters", "events", "bins", "alerts", "builds")
    publish.publish(store, settings(tmp_path, days=1, relations=names), target, lambda: NOW)
    hours = (
        ("counters", "date_trunc('hour', second)"),
        ("events", "date_trunc('hour', ts)"),
        (BINS, "bin_second // 3600"),
    )
    for table, hour in hours:
        assert read(target, f"select count(distinct {hour}) from {table}") == [(24,)], table
    assert read(target, "select count(*) from builds") == [(2,)]
    publish.publish(store, settings(tmp_path, days=2, relations=names), target, lambda: NOW)
    assert read(target, "select count(distinct bin_second // 3600) from bins where baseline_errors > 0") == [(48,)]


def test_a_file_is_due_once_it_is_old(tmp_path: Path) -> None:
    config, target = settings(tmp_path, every_seconds=300), tmp_path / "p.duckdb"
    assert not publish.is_due(Config(base=tmp_path), NOW)
    assert publish.is_due(config, NOW)
    target.write_text("")
    noon = 1795435200
    for age, is_due in ((0, False), (299, False), (300, True), (-1, True)):
        os.utime(target, (noon - age, noon - age))
        assert publish.is_due(config, NOW) is is_due, age


READER = """
import sys, duckdb
kept = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(*map(int, kept.execute(line).fetchone()), flush=True)
"""


@pytest.mark.reliability
def test_a_reader_keeps_the_file_open(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """It reads on what it opened, while each new reader has the new file: both consistent."""
    store, target = history(tmp_path / "s.duckdb", regression(60)), tmp_path / "p.duckdb"
    config = settings(tmp_path, relations=("counters", "batches", "builds", "incidents"))
    publish.publish(store, config, target, lambda: NOW)
    command = [sys.executable, "-c", READER, str(target)]
    reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert reader.stdin is not None
    assert reader.stdout is not None
    sums = "select (select sum(errors) from counters), (select sum(records) from batches)"
    times = count(30, 1000)
    for number in range(times):
        reader.stdin.write(f"{sums}\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "151 151\n"
        with store.write() as connection:
            load(connection, [Record(MONDAY + number, build, "7") for build in ("1.9", "1.10")])
        publish.publish(store, config, target, lambda: NOW)
        assert read(target, sums) == [(153 + 2 * number, 153 + 2 * number)]
    reader.communicate(timeout=60)
    assert reader.returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "p"))] == ["p.duckdb"]
    record_property("seen", f"a file kept open through {times:,} others, and as many new readers: all consistent")


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o444), (0o027, 0o440), (0o077, 0o400)])
def test_the_file_can_be_read_by_whom_the_umask_lets(tmp_path: Path, umask: int, mode: int) -> None:
    store, target = history(tmp_path / "s.duckdb", regression(60)), tmp_path / "p.duckdb"
    before = os.umask(umask)
    try:
        publish.publish(store, settings(tmp_path, relations=("builds",)), target, lambda: NOW)
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == mode


def test_a_crash_leaves_the_old_file(tmp_path: Path) -> None:
    folder = program.install(tmp_path / "installation")
    with (folder / "config.toml").open("a") as stream:
        stream.write('[publish]\npath = "p.duckdb"\nevery_seconds = 0\n')
    program.records(folder / "incoming" / "0.csv", 0)
    assert program.run(folder, "run").returncode == 0
    target = folder / "p.duckdb"
    before = target.read_bytes(), read(target, "select run_id from published")
    killed = program.start(folder, "run", failpoint="rename.before:1:kill")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert target.read_bytes() == before[0]
    assert program.run(folder, "run").returncode == 0
    assert read(target, "select run_id from published") > before[1]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none/p.duckdb", "none/p.duckdb: cannot be written: No such file or directory"),
        ("file/p.duckdb", "file/p.duckdb: cannot be written: Not a directory"),
        ("folder.duckdb", "folder.duckdb: cannot be written: Is a directory"),
        ("file", "file: is not a DuckDB file, so it is not replaced; set another [publish] path"),
    ],
)
def test_a_failure_is_reported_and_made_up_for(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "file").write_text("not a database")
    (tmp_path / "folder.duckdb").mkdir()
    day = ReleaseDay.at(tmp_path, publish=PublishSettings(path=path))
    builds = {"1.0": scaled(0.5), "1.1": scaled(0.5, login=5)}
    day.play(20, builds, at_once=True)
    assert day.printed, "what changed is printed all the same"
    assert day.reported == [(20, f"the store could not be published: {tmp_path}/{reason}")]
    assert day.run() == 74
    assert (tmp_path / "file").read_text() == "not a database"
    day.config = day.config.model_copy(update={"publish": PublishSettings(path="p.duckdb")})
    assert day.run() == 0
    assert_published(day)


def test_relations_that_are_not_there_are_named(tmp_path: Path) -> None:
    day = ReleaseDay.at(tmp_path, publish=PublishSettings(path="p.duckdb", relations=("alerts", "alarms")))
    assert day.run() == 78
    ((_, words),) = day.reported
    assert words.startswith(
        "the store could not be published: [publish] relations: 'alarms': there is no such table or view; there are: "
        "advice, alert_revisions, "
    )
    assert not (tmp_path / "p.duckdb").exists()


def test_status_shows_the_file(tmp_path: Path) -> None:
    config = settings(tmp_path)
    assert publish.last(Config(base=tmp_path)) is None
    assert publish.last(config) == publish.Published(tmp_path / "p.duckdb")
    publish.publish(history(tmp_path / "s.duckdb", regression()), config, tmp_path / "p.duckdb", lambda: NOW)
    found = publish.last(config)
    assert found is not None
    assert (found.published_at, found.size_bytes) == (NOW, (tmp_path / "p.duckdb").stat().st_size)
    assert 0 < (found.seconds or 0) < 60
    (tmp_path / "p.duckdb").unlink()
    (tmp_path / "p.duckdb").write_text("nothing")
    found = publish.last(config)
    assert found is not None
    assert "not a valid DuckDB database file" in (found.reason or "")


def test_the_questions_of_the_documentation_have_answers(tmp_path: Path) -> None:
    """Each one runs on a file as it is published by default; only revisions and new codes need not be there."""
    questions = re.findall(r"```sql\n(.*?)```", ANALYSTS.read_text("utf-8"), re.DOTALL)
    assert len(questions) == 10
    day = ReleaseDay.at(tmp_path, publish=PublishSettings(path="p.duckdb"))
    builds = {"1.0": scaled(0.5), "1.1": scaled(0.5, login=4, disk=3)}
    day.play(40, builds, [Record(MONDAY + 60 * minute, "1.1", "only new") for minute in range(30)], at_once=True)
    day.config = day.config.model_copy(update={"publish": PublishSettings(path="p.duckdb", every_seconds=0)})
    day.play(40, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=4)}, at_once=True)
    found = [len(read(tmp_path / "p.duckdb", question)) for question in questions]
    assert [number for number, rows in enumerate(found, start=1) if rows == 0] in ([], [9])
