"""Promise: of a store or its log that was cut or changed no wrong count is ever reported, and doctor explains it.

A count is right where it is that of a state that was committed: what the end of a damaged log held is not there, in
the ledger neither, and is read once more.
"""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

COUNTS = (
    "select code, count(*) as records, sum(hash(ts, build))::text as content from events group by code order by code"
)


INGEST = """
import os, sys
from pathlib import Path
from streammetrics.ingest.files import ingest
from streammetrics.cli.session import utc_now
from tests.reliability import program
folder = Path(sys.argv[1])
with program.store(folder).write() as connection:
    assert len([found for found in ingest(connection, program.config(folder), [], None, utc_now) if found.records]) == 2
    os._exit(0)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds two files and whose log holds two more, for its process was killed."""
    folder = program.install(tmp_path_factory.mktemp("killed") / "installation")
    for number in range(2):
        program.records(folder / "incoming" / f"{number}.csv", number)
    program.work(folder)
    for number in range(2, 4):
        program.records(folder / "incoming" / f"{number}.csv", number)
    subprocess.run([sys.executable, "-c", INGEST, str(folder)], cwd=program.REPOSITORY, check=True)
    assert (folder / "store.duckdb.wal").stat().st_size > 1000
    return folder


def states(folder: Path) -> list[list[dict[str, object]]]:
    """What the store answered after each file."""
    found = []
    with program.store(folder).read() as connection:
        for (batch,) in [(0,), *connection.exec_driver_sql("select batch_id from batches order by batch_id").all()]:
            requested = COUNTS.replace("from events", f"from events where batch_id <= {batch}")
            found.append([dict(row) for row in connection.exec_driver_sql(requested).mappings()])
    return found


def cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def flip(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("name", ["store.duckdb", "store.duckdb.wal"])
@pytest.mark.parametrize("harm", [cut, flip])
def test_no_wrong_count(
    killed: Path,
    tmp_path: Path,
    name: str,
    harm: Callable[[bytes, random.Random], bytes],
    record_property: Callable[[str, object], None],
) -> None:
    draw, right = random.Random(f"{name} {harm.__name__}"), states(killed)
    refused = explained = 0
    tries = count(1, 60)
    for place in range(tries):
        folder = shutil.copytree(killed, tmp_path / str(place))
        (folder / name).write_bytes(harm((folder / name).read_bytes(), draw))
        requested = program.run(folder, "query", COUNTS, "--json")
        reported = program.run(folder, "doctor", "--json")
        checks = [json.loads(line)["check"] for line in reported.stdout.splitlines()]
        assert "Traceback" not in requested.stderr + reported.stderr
        if requested.returncode:
            assert requested.returncode == 74, requested.stderr
            assert "`streammetrics doctor`" in requested.stderr
            assert reported.returncode == 1
            assert checks[-1] in (("log",) if name.endswith(".wal") else ("file", "log"))
            refused += 1
        else:
            assert [json.loads(line) for line in requested.stdout.splitlines()] in right
        if reported.returncode:
            explained += 1
        else:
            again = program.run(folder, "ingest")
            assert again.returncode == 0, again.stderr
            assert states(folder)[-1] == right[-1]
        shutil.rmtree(folder)
    record_property("seen", f"{name} {harm.__name__}: {tries} times, refused {refused}, explained {explained}, 0 wrong")
