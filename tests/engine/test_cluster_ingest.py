"""Conformance: whole runs with a real Spark cluster leave the store that runs on DuckDB leave.

`make check` runs all but those of the marker `spark_full`, which `make test-spark` runs as well.
"""

import gzip
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streammetrics.config import EngineSettings, load
from streammetrics.engine import spark
from streammetrics.store.connection import Store
from tests.engine.test_cluster_files import (
    CODES,
    COUNTERS,
    FIRST_LINES,
    FIRST_OBJECT,
    LEDGER,
    REJECTS,
    delimited,
    json_line,
)
from tests.engine.test_spark import ALERTS, INCIDENTS, assert_alike
from tests.spark_cluster import Cluster
from tests.test_conformance import CONFIG as SET_A

pytestmark = pytest.mark.spark

HOUR = """
[[source]]
name = "feed"
path = '{path}'
columns = {{ client = "client" }}
"""
CURRENT = f"select * exclude (revision) from ({ALERTS}) where state = 'current'"
TABLES = (LEDGER, COUNTERS, REJECTS, CODES)


class Site:
    """A folder with a store and settings; `run` is the command line in a process of its own."""

    def __init__(self, folder: Path, settings: str, engine: EngineSettings | None) -> None:
        folder.mkdir()
        self.config = folder / "config.toml"
        self.engine = engine
        tables = [settings] if "[store]" in settings else ['[store]\npath = "history.duckdb"', settings]
        if engine is not None:
            tables.append(f'[engine]\nkind = "spark"\nurl = "{engine.url}"\nwarehouse = "{engine.warehouse}"\n')
        self.config.write_text("\n".join(tables))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "streammetrics", arguments[0], "--config", str(self.config), *arguments[1:]]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *arguments: str, code: int = 0) -> str:
        process = self.start(*arguments)
        printed, _ = process.communicate(timeout=600)
        assert process.returncode == code, printed
        return printed

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with Store(load(self.config).store_path).read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


def write_lines(folder: Path, seed: int) -> None:
    folder.mkdir(exist_ok=True)
    random_ = random.Random(seed)
    lines = [delimited(random_) for _ in range(3000)]
    (folder / f"{seed}, with blank [and] signs.csv").write_text("\n".join([*FIRST_LINES, *lines, ""]))
    lines = [json_line(random_) for _ in range(3000)]
    (folder / f"{seed}.jsonl").write_text("\n".join([FIRST_OBJECT, *lines, ""]))


def write_rows(folder: Path, seed: int) -> None:
    """Parquet files of which the cluster reads all rows but those without a build, and none."""
    rows = f"""
        select
            timestamp '2026-11-23 10:00:00.25' + i * interval 250 millisecond as ts,
            case when i % 97 <> 0 then '5.' || (9 + i % 2) end as build,
            cast(i % 5 as integer) as code,
            'u' || i % 9 as client
        from range({seed}, 5000) as numbers (i)
    """
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for name, select in (
            ("whole", f"from ({rows})"),
            ("double", f"select * replace (code::double as code) from ({rows})"),
        ):
            connection.execute(f"copy ({select}) to '{folder}/{name}{seed}.parquet' (row_group_size 2048)")


def test_files_of_all_formats_mean_the_same(tmp_path: Path, on_spark: EngineSettings) -> None:
    settings = HOUR.format(path=tmp_path / "data" / "*")
    sites = [Site(tmp_path / "here", settings, None), Site(tmp_path / "there", settings, on_spark)]
    write_lines(tmp_path / "data", 1)
    write_rows(tmp_path / "data", 1)
    (tmp_path / "data" / "folder.csv").mkdir()
    (tmp_path / "data" / "folder.csv" / "not meant.csv").write_text("\n".join([*FIRST_LINES, ""]))
    (tmp_path / "data" / "packed.csv.gz").write_bytes(gzip.compress("\n".join([*FIRST_LINES, "x,5.9,1,"]).encode()))
    for site in sites:
        site.run("ingest")
    for query in TABLES:
        assert sites[1].rows(query) == sites[0].rows(query)
    there = sites[1]
    assert there.run("ingest") == ""
    assert there.rows("select count(distinct load) from loads where batch_id is not null") == [(4,)]
    assert "nothing is wrong" in there.run("doctor")
    cut_off = tmp_path / "data" / "cut off.csv.gz"
    cut_off.write_bytes(gzip.compress(random.Random(1).randbytes(100_000))[:50_000])
    (tmp_path / "data" / "beside it.csv").write_text("\n".join([*FIRST_LINES, "x,5.9,2,", ""]))
    assert f"the cluster failed at {cut_off}: " in there.run("ingest", code=74)
    assert there.rows("select path, records from batches order by batch_id desc limit 1") == [
        (str(tmp_path / "data" / "beside it.csv"), 1)
    ]
    ((records,),) = there.rows("select sum(records) from pruned where relation = 'events'")
    assert records > 2500
    events = spark.session(str(on_spark.url)).read.parquet(f"{on_spark.warehouse}/events")
    assert events.where("day is not null").count() == records


def wait_for_records(events: Path, process: subprocess.Popen[str]) -> None:
    """Until the cluster writes records of a load, or the process has ended."""
    deadline = time.monotonic() + 120
    while not list(events.glob("load=*/day=*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_run_that_is_killed_leaves_nothing_visible(tmp_path: Path, on_spark: EngineSettings) -> None:
    settings = HOUR.format(path=tmp_path / "data" / "*.csv")
    sites = [Site(tmp_path / "here", settings, None), Site(tmp_path / "there", settings, on_spark)]
    write_lines(tmp_path / "data", 1)
    here, there = sites
    here.run("ingest")
    events = Path(str(on_spark.warehouse)) / "events"
    process = there.start("ingest")
    wait_for_records(events, process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (killed,) = events.iterdir()
    assert there.rows("select count(*) from batches") == there.rows("select count(*) from counters") == [(0,)]
    there.run("ingest")
    (load,) = events.iterdir()
    assert load != killed
    for query in TABLES:
        assert there.rows(query) == here.rows(query)


@pytest.mark.spark_full
def test_a_driver_that_is_killed_in_an_ingest_leaves_nothing_visible(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    cluster = Cluster(tmp_path / "logs")
    settings = HOUR.format(path=tmp_path / "data" / "*.csv")
    engine = EngineSettings(kind="spark", url=cluster.url, warehouse=str(tmp_path / "warehouse"))
    here, there = Site(tmp_path / "here", settings, None), Site(tmp_path / "there", settings, engine)
    write_lines(tmp_path / "data", 1)
    here.run("ingest")
    events = tmp_path / "warehouse" / "events"
    try:
        cluster.start()
        process = there.start("ingest")
        wait_for_records(events, process)
        cluster.kill_driver()
        printed, _ = process.communicate(timeout=180)
        assert process.returncode == 74, printed
        assert re.fullmatch("the cluster no longer answers; it was at .*\n", printed)
        assert there.rows("select count(*) from batches") == there.rows("select count(*) from counters") == [(0,)]
        cluster.start_driver()
        there.run("ingest")
        (_,) = events.iterdir()
        for query in TABLES:
            assert there.rows(query) == here.rows(query)
    finally:
        cluster.stop()


@pytest.mark.spark_full
def test_the_order_of_files_does_not_matter(tmp_path: Path, on_spark: EngineSettings) -> None:
    """Late records revise what was found before them; the last word is that of DuckDB, and of one run."""
    data = tmp_path / "all"
    data.mkdir()
    stream = data / "stream.csv"
    command = [sys.executable, "-m", "streammetrics", "generate", "--to", str(stream), "--records", "6000"]
    subprocess.run([*command, "--start", "2026-11-23T10:00:00Z", "--codes", "5"], check=True, stdout=subprocess.DEVNULL)
    header, *lines = stream.read_text().splitlines()
    parts = {number: [line for place, line in enumerate(lines) if place % 7 % 3 == number] for number in range(3)}
    found: list[list[tuple[Any, ...]]] = []
    for name, order, engine in (("one", (None,), None), ("there", (2, 0, 1), on_spark)):
        folder = tmp_path / f"{name}-data"
        folder.mkdir()
        site = Site(tmp_path / name, HOUR.format(path=folder / "*.csv").replace("columns", "# columns"), engine)
        for number in order:
            part = lines if number is None else parts[number]
            (folder / f"{number}.csv").write_text("\n".join([header, *part, ""]))
            site.run("run", "--final")
        found.append([*site.rows(CURRENT), *site.rows(INCIDENTS)])
    assert_alike(*found)


@pytest.mark.spark_full
def test_the_reference_data_give_the_same_alerts(
    tmp_path: Path, on_spark: EngineSettings, reference_data: Path
) -> None:
    settings = SET_A.format(path=reference_data / "set_a" / "ErrorStreamSetA.csv")
    found = []
    for name, engine in (("here", None), ("there", on_spark)):
        site = Site(tmp_path / name, settings, engine)
        site.run("run")
        found.append([*site.rows(ALERTS), *site.rows(INCIDENTS)])
        assert site.rows("select count(*) > 8000 from alerts") == [(True,)]
    assert_alike(*found)


@pytest.mark.spark_full
@pytest.mark.parametrize("options", [("--share", "0.1"), ("--effect", "7=3@1800"), ("--codes", "200")], ids=str)
def test_streams_of_the_generator_give_the_same_alerts(
    tmp_path: Path, on_spark: EngineSettings, options: tuple[str, ...]
) -> None:
    stream = tmp_path / "stream.csv.gz"
    command = [sys.executable, "-m", "streammetrics", "generate", "--to", str(stream), "--records", "60000", *options]
    subprocess.run([*command, "--start", "2026-11-23T10:00:00Z"], check=True, stdout=subprocess.DEVNULL)
    found = []
    for name, engine in (("here", None), ("there", on_spark)):
        site = Site(tmp_path / name, HOUR.format(path=stream).replace("columns", "# columns"), engine)
        site.run("run", "--final")
        found.append([*site.rows(ALERTS), *site.rows(INCIDENTS)])
    assert_alike(*found)
