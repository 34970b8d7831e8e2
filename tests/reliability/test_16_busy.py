"""Promise: who holds the store too long is named, by everyone that waited in vain; the next run makes up for it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.reliability import program
from tests.reliability.conftest import IS_FULL, count

pytestmark = pytest.mark.reliability

BUSY = 75
COMMANDS = [["query", "select 1"], ["ingest"], ["doctor"], ["status"], ["backup", "--to", "b.duckdb"], ["detect"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = program.install(tmp_path / "installation")
    program.records(folder / "incoming" / "0.csv", 0)
    program.work(folder)
    return folder


def test_a_reader_holds_the_store(folder: Path, record_property: Callable[[str, object], None]) -> None:
    """Ten minutes with a wait of 30 s, or less: jobs come again and again meanwhile."""
    holding, wait = count(2, 600), 30 if IS_FULL else 0.5
    settings = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(settings.replace("lock_wait_seconds = 20", f"lock_wait_seconds = {wait}"))
    expected = program.stored(folder)
    told: list[int] = []
    message = f"process {os.getpid()} has held the store for {wait} s; try again later\n"
    with program.store(folder).read() as reader:
        until = time.monotonic() + holding
        while time.monotonic() < until:
            expected += program.records(folder / "incoming" / f"{len(told) + 1}.csv", len(told) + 1, minutes=1)
            done = program.run(folder, ["ingest", "detect", "run"][len(told) % 3])
            assert (done.returncode, done.stdout) == (BUSY, "")
            assert done.stderr.endswith(message)
            assert reader.exec_driver_sql("select count(*) from batches").scalar_one() == 1
            told.append(done.returncode)
    assert program.run(folder, "ingest").returncode == 0
    assert program.stored(folder) == expected
    assert program.findings(folder) == []
    record_property("seen", f"{holding} s: {len(told)} jobs, all 75 with its PID, the next caught up")


def test_a_writer_is_named_to_readers_and_writers(folder: Path) -> None:
    with program.store(folder).write():
        for command in COMMANDS[: count(3, 6)]:
            environment = {"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0"}
            done = program.run(folder, *command, environment=environment)
            assert (done.returncode, done.stdout) == (BUSY, "")
            assert f"process {os.getpid()} has held the store for 0 s" in done.stderr


def test_those_behind_one_who_waits_name_who_is_inside(folder: Path) -> None:
    """Another program's shell holds the file, a job of ours waits for it, and a query stands behind that job."""
    path = program.config(folder).store_path
    with duckdb.connect(str(path)), program.start(folder, "ingest") as waiting:
        queue = Path(f"{path}.queue")
        while not queue.exists():
            assert waiting.poll() is None
            time.sleep(0.01)
        done = program.run(folder, "status", environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0.2"})
        assert done.returncode == BUSY
        assert f"process {os.getpid()} has held the store for 0.2 s" in done.stderr
        waiting.kill()


def test_readers_read_together(folder: Path) -> None:
    with program.store(folder).read():
        asked = ["query", "select count(*) > 0 as has_events from events", "--json"]
        done = program.run(folder, *asked, environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0"})
        assert done.stdout == '{"has_events": true}\n', done.stderr


def test_the_lock_survives_who_opens_the_file_beside_it(folder: Path) -> None:
    """Opening and closing the store's file drops DuckDB's own lock on it; nobody of ours gets in all the same."""
    with program.store(folder).write():
        (folder / "store.duckdb").read_bytes()
        for command in COMMANDS[:2]:
            done = program.run(folder, *command, environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0.2"})
            assert done.returncode == BUSY
            assert f"process {os.getpid()} " in done.stderr
