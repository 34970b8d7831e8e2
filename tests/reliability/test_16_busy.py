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


def test_a_reader_holds_the_store(worked: Path, record_property: Callable[[str, object], None]) -> None:
    """Ten minutes with a wait of 30 s, or less: jobs come again and again meanwhile."""
    holding, wait = count(2, 600), 30 if IS_FULL else 0.5
    settings = (worked / "config.toml").read_text()
    (worked / "config.toml").write_text(settings.replace("lock_wait_seconds = 20", f"lock_wait_seconds = {wait}"))
    expected = program.stored(worked)
    refused: list[int] = []
    message = f"process {os.getpid()} has held the store for {wait} s; try again later\n"
    with program.store(worked).read() as reader:
        until = time.monotonic() + holding
        while time.monotonic() < until:
            expected += program.records(worked / "incoming" / f"{len(refused) + 1}.csv", len(refused) + 1, minutes=1)
            done = program.run(worked, ["ingest", "detect", "run"][len(refused) % 3])
            assert (done.returncode, done.stdout) == (BUSY, "")
            assert done.stderr.endswith(message)
            assert reader.exec_driver_sql("select count(*) from batches").scalar_one() == 1
            refused.append(done.returncode)
    assert program.run(worked, "ingest").returncode == 0
    assert program.stored(worked) == expected
    assert program.findings(worked) == []
    record_property("seen", f"{holding} s: {len(refused)} jobs, all 75 with its PID, the next caught up")


def test_a_writer_is_named_to_readers_and_writers(worked: Path) -> None:
    with program.store(worked).write():
        for command in COMMANDS[: count(3, 6)]:
            environment = {"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0"}
            done = program.run(worked, *command, environment=environment)
            assert (done.returncode, done.stdout) == (BUSY, "")
            assert f"process {os.getpid()} has held the store for 0 s" in done.stderr


def test_those_behind_one_who_waits_name_who_is_inside(worked: Path) -> None:
    """Another program's shell holds the file, a job of ours waits for it, and a query stands behind that job."""
    path = program.config(worked).store_path
    with duckdb.connect(str(path)), program.start(worked, "ingest") as waiting:
        queue = Path(f"{path}.queue")
        while not queue.exists():
            assert waiting.poll() is None
            time.sleep(0.01)
        done = program.run(worked, "status", environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0.2"})
        assert done.returncode == BUSY
        assert f"process {os.getpid()} has held the store for 0.2 s" in done.stderr
        waiting.kill()


def test_readers_read_together(worked: Path) -> None:
    with program.store(worked).read():
        started = ["query", "select count(*) > 0 as has_events from events", "--json"]
        done = program.run(worked, *started, environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0"})
        assert done.stdout == '{"has_events": true}\n', done.stderr


def test_the_lock_survives_who_opens_the_file_beside_it(worked: Path) -> None:
    """Opening and closing the store's file drops DuckDB's own lock on it; nobody of ours gets in all the same."""
    with program.store(worked).write():
        (worked / "store.duckdb").read_bytes()
        for command in COMMANDS[:2]:
            done = program.run(worked, *command, environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0.2"})
            assert done.returncode == BUSY
            assert f"process {os.getpid()} " in done.stderr
