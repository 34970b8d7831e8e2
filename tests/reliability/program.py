"""The program as processes that can be killed, and what a store holds after them beside what it should."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from streammetrics.cli.session import utc_now
from streammetrics.config import Config, load
from streammetrics.detect import passes
from streammetrics.doctor import diagnosis
from streammetrics.ingest.files import ingest
from streammetrics.runtime.failpoints import VARIABLE
from streammetrics.store.connection import Store
from tests.rules import REFERENCE_TOML

REPOSITORY = Path(__file__).parents[2]
OLD = "the old DUCK"
"""What a file holds that an output is to replace: a backup replaces DuckDB files alone, and they begin so."""

START = datetime(2026, 1, 1)

CONFIG = """\
[store]
path = "store.duckdb"
lock_wait_seconds = 20

[[source]]
name = "clients"
path = "incoming/*"

[output]
dir = "out"

"""

Records = Counter[tuple[datetime, str, str]]


def install(folder: Path) -> Path:
    """A folder with a config.toml and an empty `incoming`."""
    (folder / "incoming").mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG + REFERENCE_TOML)
    return folder


def start(
    folder: Path, *arguments: str, failpoint: str | None = None, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """A command in `folder`; its stdout and stderr are pipes."""
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})}
    if failpoint is not None:
        environ[VARIABLE] = failpoint
    return subprocess.Popen(
        [sys.executable, "-m", "streammetrics", *arguments],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    folder: Path, *arguments: str, failpoint: str | None = None, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """The same, waited for."""
    with start(folder, *arguments, failpoint=failpoint, environment=environment) as process:
        out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def is_inside(process: "subprocess.Popen[str]", folder: Path) -> bool:
    """Wait until a process has the store for writing; False where it ended before."""
    holder = Path(f"{config(folder).store_path}.lock")
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if holder.read_text().strip() == str(process.pid):
                return True
        time.sleep(0.002)
    return False


def seconds_inside(folder: Path, command: str) -> float:
    """How long (s) a command that nobody disturbs has the store."""
    with start(folder, command) as process:
        assert is_inside(process, folder)
        entered = time.monotonic()
        process.communicate()
    assert process.returncode == 0
    return time.monotonic() - entered


def records(path: Path, seed: int, minutes: int = 10, start: datetime = START, per_minute: int = 30) -> Records:
    """Write a file of two builds; from its middle on the new one sends code 9 more often. What is in it."""
    draw = random.Random(seed)
    found: Records = Counter()
    lines = ["ts,build,code"]
    for minute in range(minutes):
        for build in ("1.9", "1.10"):
            codes = ["7", "9"] * (per_minute // 2)
            if build == "1.10" and minute >= minutes // 2:
                codes += ["9"] * per_minute
            for code in codes:
                ts = start + timedelta(minutes=minute, seconds=draw.randrange(60), microseconds=draw.randrange(10**6))
                lines.append(f"{ts},{build},{code}")
                found[ts, build, code] += 1
    path.write_text("\n".join(lines) + "\n")
    return found


def config(folder: Path) -> Config:
    return load(folder / "config.toml", {})


def store(folder: Path) -> Store:
    # Others may be busy beside us: what waits in vain here is a fault.
    return Store(config(folder).store_path, 120)


def work(folder: Path) -> None:
    """Ingest and detect in this process; nothing fails."""
    with store(folder).write() as connection:
        for outcome in ingest(connection, config(folder), [], None, utc_now):
            assert outcome.error is None, outcome.message
        passes.judge(connection, config(folder), utc_now)


def stored(folder: Path) -> Records:
    """The records of a store, by reading all of it."""
    with duckdb.connect(str(config(folder).store_path), read_only=True) as shell:
        rows = shell.execute("select ts, build, code, count(*) from events group by all").fetchall()
    return Counter({(ts, build, code): number for ts, build, code, number in rows})


def alerts(folder: Path, with_retracted: bool = True) -> list[tuple[object, ...]]:
    """The alerts of a store and how they hang together, without what differs from run to run."""
    with duckdb.connect(str(config(folder).store_path), read_only=True) as shell:
        return shell.execute(
            "select rule, baseline, candidate, code, window_bins, start_ts, stop_ts, value, state,\n"
            "    min(stop_ts) over (partition by incident_id), count(*) over (partition by incident_id)\n"
            "from alerts where state <> 'retracted' or ? order by all",
            [with_retracted],
        ).fetchall()


def findings(folder: Path) -> list[str]:
    """What doctor says of the store; that a killed process leaves its scratch behind is no fault."""
    found = diagnosis.examine(store(folder), config(folder), utc_now())
    return [diagnosis.render(one) for one in found if one.check not in ("scratch", "unfinished", "disk")]
