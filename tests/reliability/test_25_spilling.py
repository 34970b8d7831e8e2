"""Promise: queries that spill at once, killed ones among them, answer right, and what they spilled is removed."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import program
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

ROWS = 1_500_000
QUERY = (
    "select count(*) as n, sum(a) as s from (select a, row_number() over (order by hash(a)) from range({n}) as t (a))"
)
SMALL = {"STREAMMETRICS_STORE_MEMORY_LIMIT": "30MB"}


def test_queries_spill_at_once(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    folder, draw, killed = program.install(tmp_path / "installation"), random.Random(25), 0
    program.records(folder / "incoming" / "0.csv", 0)
    program.work(folder)
    before = sorted(folder.iterdir())
    for _ in range(count(1, 30)):
        sizes = [ROWS + place for place in range(3)]
        requested = [program.start(folder, "query", "--json", QUERY.format(n=n), environment=SMALL) for n in sizes]
        while not list(folder.glob("*.spill-*/*")):
            assert requested[0].poll() is None, requested[0].communicate()
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.5))
        requested[2].kill()
        for n, process in zip(sizes, requested, strict=True):
            out, err = process.communicate(timeout=120)
            if process is requested[2]:
                killed += process.returncode != 0
                continue
            assert process.returncode == 0, err
            assert out == f'{{"n": {n}, "s": {n * (n - 1) // 2}}}\n'
        assert program.run(folder, "query", "select 1").returncode == 0
        assert sorted(folder.iterdir()) == before
    assert killed
    record_property("seen", f"{count(1, 30)} times three at once, {killed} killed: every answer right, nothing left")
