"""Conformance: the SQL of passes on a real Spark cluster gives what DuckDB gives.

`make check` runs a case of each relation, `make test-spark` (SPARK_FULL=1) all.
"""

import math
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Connection

from streammetrics import engine as engines
from streammetrics.config import Comparison, Config, EngineSettings, Rule, SequentialRule
from streammetrics.detect import passes
from streammetrics.engine import dialect
from streammetrics.engine import spark as spark_engine
from streammetrics.errors import InputOutputError
from streammetrics.store import views
from streammetrics.store.views import Slice
from tests import test_sql_cases as cases
from tests.oracles.mean_rules import Record
from tests.spark_cluster import Cluster
from tests.streams import MONDAY, clear, clock, empty_store, load, select

pytestmark = pytest.mark.spark

IS_FULL = bool(os.environ.get("SPARK_FULL"))
CASES = cases.CASES if IS_FULL else list({case.parent: case for case in cases.CASES}.values())
TOLERANCE = 1e-9
RULES = (
    SequentialRule(name="sequential", detector="sequential"),
    Rule(name="ratio", detector="mean_ratio", bin_seconds=10, window_bins=(5, 10), threshold=1.25),
    Rule(name="difference", detector="mean_difference", bin_seconds=50, window_bins=(10, 20), threshold=6),
)
ALERTS = "select * exclude (alert_id, incident_id, run_id, created_at, updated_at) from alerts order by all"
INCIDENTS = "select * exclude (incident_id) from incidents order by all"


columns = cases.columns
"""The fixture, which pytest finds by its name."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case: Path, columns: cases.Columns, cluster: Cluster) -> None:
    session = spark_engine.session(cluster.url)
    relation = views.relations()[case.parent.name]
    names, expected = cases.read(case / "expect.csv")
    with duckdb.connect() as connection:
        for name in relation.reads:
            cases.fill(connection, name, columns[name], case / f"{name}.csv")
            found = connection.execute(f"select * from {name}").to_arrow_table()
            spark_engine.frame(session, found).createOrReplaceTempView(name)
    text = f"select {', '.join(names)} from (\n{relation.text}\n)"
    rows = session.sql(dialect.translated(dialect.parsed(text), {})).toArrow().to_pylist()
    is_text = [columns[relation.name][name].type in ("VARCHAR", "BOOLEAN") for name in names]
    wanted = [
        tuple(cell if plain else cases.number(cell) for cell, plain in zip(row, is_text, strict=True))
        for row in expected
    ]
    assert sorted(tuple(map(cases.shown, row.values())) for row in rows) == sorted(wanted)


def stream(hours: float, since: int = MONDAY) -> list[Record]:
    """Two builds and four codes: one is level, two increase in the middle, one is new."""
    end = since + int(hours * 3600)
    middle = (since + end) // 2
    records = []
    for second in range(since, end, 2):
        for build, is_new in (("5.9", False), ("5.10", True)):
            records.append((second, build, "404"))
            if second % 10 == 0:
                records += [(second, build, "E_TIMEOUT")] * (4 if is_new and second >= middle else 1)
            if second % 30 == 0:
                records += [(second, build, "-17")] * (3 if is_new and second >= middle else 1)
            if is_new and second >= middle and second % 60 == 0:
                records.append((second, build, "007"))
    return [Record(*one) for one in records]


def config_of(engine: EngineSettings, **settings: Any) -> Config:
    return Config(engine=engine, rule=RULES, comparison=(Comparison(exposure="equal", **settings),))


def outcome(store: Connection) -> list[tuple[Any, ...]]:
    return [*select(store, ALERTS), *select(store, INCIDENTS)]


def assert_alike(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    """The same rows, floats within the tolerance."""
    assert len(found) == len(expected) > 0
    for row, other in zip(found, expected, strict=True):
        for value, wanted in zip(row, other, strict=True):
            if isinstance(wanted, float):
                assert math.isclose(value, wanted, rel_tol=TOLERANCE, abs_tol=TOLERANCE), (row, other)
            else:
                assert value == wanted, (row, other)


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def judged(store: Connection, loads: list[list[Record]], config: Config) -> list[tuple[Any, ...]]:
    clear(store)
    for records in loads:
        load(store, records)
        passes.judge(store, config, clock)
    return outcome(store)


def test_passes_find_the_same_alerts_and_leave_nothing_behind(
    store: Connection, on_spark: EngineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_engine, "_PORTION_ROWS", 1000)
    records = stream(0.5)
    late = [one for one in records if one.second % 97 == 0]
    loads = [[one for one in records if one.second % 97], late]
    expected = judged(store, loads, config_of(EngineSettings()))
    assert_alike(judged(store, loads, config_of(on_spark)), expected)
    assert select(store, "select count(*) from alert_revisions")[0][0] > 0, "late records revise"
    assert not list(Path(str(on_spark.warehouse)).glob("scratch/*"))


def test_a_worker_that_is_killed_in_a_pass_changes_nothing(
    store: Connection, cluster: Cluster, on_spark: EngineSettings
) -> None:
    loads = [stream(0.3)]
    expected = judged(store, loads, config_of(EngineSettings()))
    scratch = Path(str(on_spark.warehouse)) / "scratch"
    killed = threading.Event()

    def kill() -> None:
        while not list(scratch.glob("*/judged_bins-*/_SUCCESS")):
            time.sleep(0.05)
        cluster.kill_worker()
        killed.set()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        assert_alike(judged(store, loads, config_of(on_spark)), expected)
        assert killed.is_set()
    finally:
        cluster.workers.append(cluster.start_worker(3))


def test_what_the_cluster_refuses_is_an_error_that_names_the_relation(
    store: Connection, on_spark: EngineSettings
) -> None:
    clear(store)
    engine = engines.opened(config_of(on_spark), store, Slice(MONDAY, MONDAY + 60, 60), is_final=False)
    with pytest.raises(InputOutputError, match=r"the cluster failed at kept_x: .*nowhere"):
        engine.fill("kept_x", "select a from nowhere", {})
