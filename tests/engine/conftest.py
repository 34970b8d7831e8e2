"""A Spark cluster for the tests of this folder, started by the first that needs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streammetrics.config import EngineSettings
from streammetrics.engine import spark
from tests.spark_cluster import Cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.start()
        yield found
    finally:
        try:
            # At its end the client would wait minutes for a server that is gone.
            spark.session(found.url).stop()
        finally:
            found.stop()


@pytest.fixture
def on_spark(cluster: Cluster, tmp_path: Path) -> EngineSettings:
    return EngineSettings(kind="spark", url=cluster.url, warehouse=str(tmp_path / "warehouse"))
