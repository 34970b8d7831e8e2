"""Promise: a full disk leaves the store as it was, is exit code 74 with what to do, and is made up for with room.

The disk is a tmpfs where this process may mount one, else a limit on the size of files.
"""

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streammetrics.cli.session import utc_now
from streammetrics.errors import InputOutputError
from streammetrics.query import export, publish
from streammetrics.report import heatmap, page
from streammetrics.simulate import generate
from streammetrics.store import backup
from tests.reliability import program
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

MEGABYTE = 1 << 20
MAY_MOUNT = os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Callable[[], None]]:
    """Make `folder` a disk of so many bytes; calling what is given makes room on it."""
    folder.mkdir(parents=True, exist_ok=True)
    if MAY_MOUNT and mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
        try:
            yield lambda: assert_mounted("-o", "remount,size=1g", str(folder))
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # One file is a part of what lies on the disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 4, hard))
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def assert_mounted(*arguments: str) -> None:
    assert mount(*arguments)


def sizes(most: int) -> list[int]:
    """From next to nothing to what is enough; a disk of no bytes is one without a limit."""
    tries = count(2, 20)
    return [max(4096, most * (place + 1) // (tries + 1) // 4096 * 4096) for place in range(tries)]


def full(done: "subprocess.CompletedProcess[str]") -> bool:
    """Whether a command ended for want of room; it says so, and what to do."""
    if done.returncode == 0:
        return False
    assert done.returncode == 74, done.stderr
    assert "Traceback" not in done.stderr
    assert "make room" in done.stderr, done.stderr
    return True


def test_of_the_store(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """What DuckDB writes meanwhile lies beside the store."""
    folder = program.install(tmp_path / "installation")
    expected = program.records(folder / "incoming" / "1.csv", 1, minutes=20, per_minute=100)
    expected += program.records(folder / "incoming" / "2.csv", 2, minutes=20, per_minute=200)
    settings = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(settings.replace("store.duckdb", "disk/store.duckdb"))
    program.work(folder)
    alerts = program.alerts(folder)
    most = sum(path.stat().st_size for path in (folder / "disk").iterdir())
    shutil.rmtree(folder / "disk")
    found = 0
    for size in sizes(2 * most):
        with disk(folder / "disk", size) as make_room:
            is_full = full(program.run(folder, "ingest"))
            found += is_full or full(program.run(folder, "detect"))
            make_room()
            if program.config(folder).store_path.exists():
                assert program.findings(folder) == []
            program.work(folder)
            assert program.stored(folder) == expected
            assert program.alerts(folder) == alerts
            assert program.findings(folder) == []
    assert found
    record_property("seen", f"store: {found} of {count(2, 20)} sizes too small, each consistent, 74, and made up for")


def length(path: Path) -> int:
    """The size of a file, without the numbers of a page's plots: they count on within a process."""
    return len(re.sub(rb'"p\d+"', b'"p"', path.read_bytes()) if path.suffix == ".html" else path.read_bytes())


def test_of_the_outputs(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    folder = program.install(tmp_path / "installation")
    program.records(folder / "incoming" / "1.csv", 1, minutes=20, per_minute=100)
    program.work(folder)
    store, settings = program.store(folder), program.config(folder)
    outputs: dict[str, Callable[[Path], object]] = {
        "alerts.csv": lambda path: export.export(store, "alerts", path),
        "events.parquet": lambda path: export.export(store, "events", path),
        "backup.duckdb": lambda path: backup.backup(store, path),
        "published.duckdb": lambda path: publish.publish(store, settings, path, utc_now),
        "picture.png": lambda path: heatmap.draw(store, settings, path, "ratio", None, None),
        "index.html": lambda path: page.write(store, settings, path.parent, program.START),
        "stream.csv": lambda path: generate.write(stream, path),
    }
    stream = generate.generate(generate.default_scenario(1, program.START, 3600, 2000, 5))
    (folder / "disk").mkdir()
    for name, write in outputs.items():
        target = folder / "disk" / name
        write(target)
        most, whole = target.stat().st_size, length(target)
        for size in sizes(most)[: count(1, 20)]:
            with disk(folder / "disk", size) as make_room:
                target.write_text(program.OLD)
                with pytest.raises(InputOutputError, match=r"cannot be written.*make room|disk is full.*make room"):
                    write(target)
                assert target.read_text() == program.OLD
                assert list((folder / "disk").glob(".*")) == []
                make_room()
                write(target)
                assert length(target) == whole
    record_property("seen", f"{len(outputs)} outputs, {count(1, 20)} sizes each: 74, and the old file kept")
