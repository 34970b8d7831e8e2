"""Promise: a store that is removed or replaced under a run, as by a restore, costs no input, nor the new one a byte."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import IS_FULL

pytestmark = pytest.mark.reliability

FILES = 3

WRITE_AND_DIE = """
import os, sys, duckdb
shell = duckdb.connect(sys.argv[1])
shell.execute("create table of_another (a int)")
shell.execute("drop table of_another")
os._exit(0)
"""
"""A process that leaves a log behind."""


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An older state of a store: nothing is in it."""
    folder = program.install(tmp_path_factory.mktemp("backup") / "installation")
    program.work(folder)
    return program.config(folder).store_path


def install(folder: Path, backup: Path, after: str) -> Path:
    program.install(folder)
    settings = (folder / "config.toml").read_text()
    source = 'path = "incoming/*"\n'
    moved = 'move_to = "done"\n' if after == "move" else ""
    (folder / "config.toml").write_text(settings.replace(source, f'{source}after = "{after}"\n{moved}'))
    shutil.copy(backup, program.config(folder).store_path)
    for number in range(FILES):
        program.records(folder / "incoming" / f"{number}.csv", number)
    return folder


def inputs(folder: Path) -> set[str]:
    return {path.name for path in (folder / "incoming").iterdir()}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.name in ("store.duckdb", "store.duckdb.wal")
    }


def stopped(process: "subprocess.Popen[str]") -> bool:
    """Wait until a process stops; False where it ended before."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return True
    process.returncode = os.waitstatus_to_exitcode(status)
    return False


@pytest.mark.parametrize(("way", "after"), [("replaced", "delete"), ("removed", "move")])
def test_under_a_run(
    tmp_path: Path, backup: Path, way: str, after: str, record_property: Callable[[str, object], None]
) -> None:
    """At every commit of it, before and after; quickly, at one."""
    found = 0
    for number in range(1, 1000) if IS_FULL else [3]:
        is_reached = False
        for point in ("commit.before", "commit.after"):
            folder = install(tmp_path / f"{point}-{number}", backup, after)
            path = program.config(folder).store_path
            process = program.start(folder, "run", failpoint=f"{point}:{number}:stop")
            if not stopped(process):
                assert process.returncode == 0
                continue
            is_reached = True
            there = inputs(folder)
            for name in ("store.duckdb", "store.duckdb.wal"):
                if (folder / name).exists():
                    (folder / name).rename(folder / f"old-{name}")
            if way == "replaced":
                shutil.copy(backup, path)
                subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path)], check=True)
            lying = contents(folder)
            assert sorted(lying) == {"replaced": ["store.duckdb", "store.duckdb.wal"], "removed": []}[way]
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=300)
            assert process.returncode in ((0, 74) if not there else (74,)), err
            if process.returncode == 74:
                replaced = "store.duckdb: was removed or replaced while this command had it open"
                # After the last commit a run opens the store anew to draw.
                undrawn = "the heatmaps could not be drawn: "
                is_undrawn = undrawn in err and "store.duckdb: there is no store yet" in err
                assert replaced in err or (is_undrawn and way == "removed" and not there), err
                assert err.count("\n") == 1, err
            found += 1
            assert inputs(folder) == there
            assert contents(folder) == lying
            assert program.run(folder, "run").returncode == 0
            assert program.findings(folder) == []
            assert inputs(folder) == set()
            shutil.rmtree(folder)
        if not is_reached:
            break
    assert found
    record_property("seen", f"{way}, after = {after}: {found} points, no input lost, the new store untouched")
