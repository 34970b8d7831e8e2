"""Which engine the settings mean, and what is wrong where it is not to be had."""

import subprocess
import sys
from pathlib import Path

import pytest

from streammetrics.config import Config, EngineSettings
from streammetrics.engine import opened
from streammetrics.engine.duckdb import DuckDBEngine
from streammetrics.errors import InputOutputError
from streammetrics.store.views import Slice
from tests.streams import empty_store

PIECE = Slice(0, 60, 60)


def test_the_store_computes_by_default() -> None:
    with empty_store() as store:
        engine = opened(Config(), store, PIECE, is_final=False)
        assert isinstance(engine, DuckDBEngine)
        engine.fill("kept_numbers", "select 1 as a where 1 > $after", {}, {"after": 0})
        assert store.exec_driver_sql("select a from kept_numbers").scalar_one() == 1


@pytest.mark.slow
def test_without_the_spark_client_it_says_what_to_install(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    engine = f'[engine]\nkind = "spark"\nurl = "sc://127.0.0.1:9"\nwarehouse = "{tmp_path}"\n'
    config.write_text(f'{engine}[[source]]\nname = "feed"\npath = "*.csv"\n')
    program = "import sys; sys.modules['sqlglot'] = None; from streammetrics.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "ingest", "--config", str(config)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    words = """[engine] kind = "spark" needs the Spark client: in the sources, pip install '.[spark]'"""
    assert (found.returncode, found.stderr) == (78, f"streammetrics: {words}\n")


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_named(tmp_path: Path) -> None:
    settings = EngineSettings(kind="spark", url="sc://127.0.0.1:9", warehouse=str(tmp_path))
    with (
        empty_store() as store,
        pytest.raises(InputOutputError, match=r"127\.0\.0\.1:9': the cluster does not answer"),
    ):
        opened(Config(engine=settings), store, PIECE, is_final=False)
