"""What a run refuses stands with its reason in `status` and `doctor` until it is mended: through the command line."""

import gzip
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from streammetrics import config as configuration
from streammetrics.cli.session import utc_now
from streammetrics.doctor import diagnosis
from streammetrics.report import status
from streammetrics.runtime import terminal
from streammetrics.store.connection import Store

REPOSITORY = Path(__file__).parents[2]
HEAD = "ts,build,code\n"
GOOD = f"{HEAD}2026-11-22 17:03:11,5.9,7\n"
GERMAN = f"{HEAD}28.11.2026 17:03:11,5.9,7\n28.11.2026 17:03:12,5.9,8\n"
FORMAT = '"%d.%m.%Y %H:%M:%S"'

pytestmark = pytest.mark.slow


class Jobs:
    """A folder with a configuration, and commands in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / "in"
        self.inputs.mkdir()
        self.configure()

    def configure(self, more: str = "", path: str = 'path = "in/*"') -> None:
        text = f'[store]\npath = "s.duckdb"\n[[source]]\nname = "clients"\n{path}\n{more}\n'
        (self.folder / "config.toml").write_text(text)

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "streammetrics", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with Store(self.folder / "s.duckdb").read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def standing(self) -> list[str]:
        """What `status` lists, which must be what `doctor` finds."""
        config = configuration.load(self.folder / "config.toml", {})
        store = Store(config.store_path)
        found = status.collect(store, config, utc_now())
        reported = [finding.what for finding in diagnosis.examine(store, config, utc_now())]
        assert sorted(reported) == sorted(map(terminal.one_line, found.refused))
        lines = status.render(found).splitlines()
        to_do = [line.removeprefix("to do      refused: ") for line in lines if line.startswith("to do      refused: ")]
        assert sorted(to_do) == sorted(reported)
        return list(found.refused)


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "errors.csv": bytes,
    "errors.csv.gz": gzip.compress,
    "errors.csv.zst": zstandard.compress,
}


@pytest.mark.parametrize("name", PACKERS)
def test_a_file_of_rejects_alone_fails_the_run_that_meets_it(jobs: Jobs, name: str) -> None:
    path = jobs.inputs / name
    path.write_bytes(PACKERS[name](GERMAN.encode()))
    (jobs.inputs / "good.csv").write_text(GOOD)
    first = jobs("run")
    # What it is; which value; what can be read; what to do.
    message = (
        f"in/{name}: no record was accepted: 2 rejected; "
        "line 2: time cannot be read: '28.11.2026 17:03:11'; "
        "times can be ISO 8601, with a zone or without, seconds, milli-, micro- or nanoseconds since 1970, "
        "or times of day where date is set; for others set time_format of [[source]] 'clients', such as "
        f"time_format = {FORMAT}, or columns, if that is no time; "
        "it is read again after the file or these settings change"
    )
    (line,) = (line for line in first.stderr.splitlines() if name in line)
    assert (first.returncode, line.endswith(message)) == (74, True)
    # Nothing is lost, and the others are judged.
    assert jobs.rows("select count(*) from rejects") == [(2,)]
    assert jobs.rows("select code from events") == [("7",)]
    assert jobs.rows("select state from runs") == [("done",)]
    again = jobs("run")
    assert (again.returncode, again.stderr) == (0, "")
    (refused,) = jobs.standing()
    assert refused.endswith(message)
    assert f"to do      refused: {refused}" in jobs("status").stdout.splitlines()
    examined = jobs("doctor")
    assert (examined.returncode, f"sources: {refused}" in examined.stdout) == (1, True)
    jobs.configure(f"time_format = {FORMAT}\n[ingest]\nfuture_limit_seconds = 1000000000")
    assert jobs.standing() == []
    mended = jobs("run")
    assert (mended.returncode, jobs.standing()) == (0, [])
    assert jobs.rows("select count(*) from events") == [(3,)]


def test_it_fails_again_when_the_file_or_its_settings_change(jobs: Jobs) -> None:
    path = jobs.inputs / "errors.csv"
    path.write_text(GERMAN)
    assert jobs("run").returncode == 74
    with path.open("a") as stream:
        stream.write("28.11.2026 17:03:13,5.9,8\n")
    grown = jobs("run")
    assert (grown.returncode, "no record was accepted: 3 rejected" in grown.stderr) == (74, True)
    jobs.configure('timezone = "Europe/Berlin"')
    assert [jobs("run").returncode for _ in range(2)] == [74, 0]
    path.write_text(GOOD)
    mended = jobs("run")
    assert (mended.returncode, jobs.standing()) == (0, [])


def test_lines_that_a_file_with_records_grew_by_do_not_fail_a_run(jobs: Jobs) -> None:
    path = jobs.inputs / "errors.csv"
    path.write_text(GOOD)
    assert jobs("run").returncode == 0
    with path.open("a") as stream:
        stream.write("28.11.2026 17:03:13,5.9,8\n")
    done = jobs("run")
    assert (done.returncode, "0 accepted, 1 rejected; line 3: time cannot be read;" in done.stderr) == (0, True)
    assert jobs.standing() == []


def test_a_path_of_the_command_line_is_known_by_its_source(jobs: Jobs) -> None:
    other = jobs.folder / "other.csv"
    other.write_text(GERMAN)
    done = jobs("run", "other.csv", "--source", "clients")
    assert (done.returncode, "[[source]] 'clients'" in done.stderr) == (74, True)
    assert jobs("run", "other.csv", "--source", "clients").returncode == 0
    assert len(jobs.standing()) == 1
    other.unlink()
    assert jobs.standing() == []


@pytest.mark.parametrize(
    ("name", "content", "code", "reason"),
    [
        ("a.csv.gz", b"no gzip", 74, "is damaged or not a whole gzip file"),
        ("a.csv", b"a,b,c\n1,2,3\n", 78, "no column for ts, build, code; the columns found are"),
        ("a.csv", b"ts,build,code\n10:00:00,5.9,7\n", 78, "the first time is 10:00:00, a time of day"),
        ("a.txt", b"", 78, "its suffix does not show what is in it"),
        ("a.parquet", b"PAR1", 74, "cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_read_stands_until_it_can(jobs: Jobs, name: str, content: bytes, code: int, reason: str) -> None:
    path = jobs.inputs / name
    path.write_bytes(content)
    done = jobs("run")
    assert (done.returncode, reason in done.stderr) == (code, True)
    assert [reason in reported for reported in jobs.standing()] == [True]
    path.unlink()
    assert jobs.standing() == []
    path.write_bytes(content)
    assert jobs("run").returncode == code
    path.unlink()
    (jobs.inputs / "a.csv").write_text(GOOD)
    assert jobs("run").returncode == 0
    assert jobs.standing() == []


def test_a_file_that_is_mended_in_its_place_is_settled_by_a_run(jobs: Jobs) -> None:
    path = jobs.inputs / "a.csv"
    path.write_text("a,b,c\n1,2,3\n")
    assert jobs("run").returncode == 78
    path.write_text(GOOD)
    assert jobs("run").returncode == 0
    assert jobs.standing() == []


def test_a_database_stands_by_the_name_of_its_source(jobs: Jobs) -> None:
    with sqlite3.connect(jobs.folder / "e.db") as database:
        database.execute("create table errors (id integer, at text, build text, code text)")
        database.execute("insert into errors values (1, '2026-11-22 17:03:11', '5.9', '7')")
    place = 'url = "sqlite:///e.db"\ntable = "errors"\ncursor = "id"'
    jobs.configure(path=place)
    assert jobs("run").returncode == 78
    (refused,) = jobs.standing()
    assert "no column for ts" in refused
    jobs.configure('columns = { ts = "at" }', path=place)
    assert jobs.standing() == []
    assert jobs("run").returncode == 0
    assert jobs.standing() == []


@pytest.mark.parametrize("content", ["", HEAD])
def test_a_file_without_a_record_is_refused_by_nobody(jobs: Jobs, content: str) -> None:
    (jobs.inputs / "a.csv").write_text(content)
    assert jobs("run").returncode == 0
    assert jobs.standing() == []


def test_a_copy_of_a_refused_file_is_refused_and_stays_in_its_spool(jobs: Jobs) -> None:
    jobs.configure('after = "delete"')
    for name in ("a.csv", "b.csv"):
        (jobs.inputs / name).write_text(GERMAN)
        assert jobs("run").returncode == 74
    assert sorted(path.name for path in jobs.inputs.iterdir()) == ["a.csv", "b.csv"]
    assert len(jobs.standing()) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("latin.csv", "Zeit;Größe;Gerät\n1;2;3\n".encode("latin-1")),
        ("binary.csv", bytes(range(256)) * 1000),
        ("binary.tsv", random.Random(1).randbytes(100_000)),
        ("binary.jsonl", random.Random(2).randbytes(100_000)),
    ],
)
def test_a_file_that_is_no_text_stops_no_other(jobs: Jobs, name: str, content: bytes) -> None:
    (jobs.inputs / name).write_bytes(content)
    (jobs.inputs / "good.csv").write_text(GOOD)
    done = jobs("run")
    assert done.returncode in (74, 78), done.stderr
    assert "Traceback" not in done.stderr
    assert jobs.rows("select code from events") == [("7",)]
    ((refused,),) = jobs.rows("select reason from refused")
    assert f"in/{name}" in str(refused)
    assert name != "latin.csv" or r'"Zeit", "Gr\xf6\xdfe", "Ger\xe4t"' in str(refused)
    assert jobs("status").returncode == 0


def test_of_many_refused_the_first_are_shown(jobs: Jobs) -> None:
    for number in range(12):
        (jobs.inputs / f"{number:02}.csv").write_text(GERMAN.replace("5.9", f"5.{number}"))
    assert jobs("run").returncode == 74
    lines = [line for line in jobs("status").stdout.splitlines() if line.startswith("to do ")]
    assert [line.startswith("to do      refused: ") for line in lines] == [True, True, True, False]
    assert lines[-1] == "to do      9 more are refused: `streammetrics doctor` lists them"
    found = [line for line in jobs("doctor").stdout.splitlines() if not line.startswith("  -> ")]
    assert (len(found), found[-1]) == (11, "sources: and 2 more of them")
