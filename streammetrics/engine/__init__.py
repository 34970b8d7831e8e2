"""Where files are read and passes compute: in the store itself, or on a Spark cluster.

In come the texts of sql/views/ and a slice of time; out go temporary tables of the store. `duckdb` and `spark` have the
same outline: `fill` makes a relation, `hand_over` brings it into the store. `detect` opens one for each portion of a
pass. `cluster_files` and `cluster_load` are for files what `sources` is on this machine. Tables of the store are
written by their rooms alone, whatever the engine.
"""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.store.views import Slice


class Engine(Protocol):
    """Relations of one slice of time."""

    def fill(self, name: str, text: str, bases: Mapping[str, str], parameters: Mapping[str, int] | None = None) -> None:
        """Make the relation `name` of a SELECT over relations of sql/views/, tables, and what was made before.

        Args:
            bases: texts that stand in for a relation, by its name; see `views.compose`.
        """

    def hand_over(self, name: str) -> None:
        """Leave a relation that was made as a temporary table of the store."""

    def close(self) -> None:
        """Let go of what was made elsewhere."""


def opened(config: Config, connection: Connection, piece: Slice, *, is_final: bool) -> Engine:
    """The engine of the settings, for one slice, with no transaction begun.

    Raises:
        ConfigError: the Spark client is not installed.
        InputOutputError: the cluster does not answer.
    """
    if config.engine.kind == "spark":
        from streammetrics.engine.spark import SparkEngine

        return SparkEngine(config.engine, connection, piece, is_final)
    from streammetrics.engine.duckdb import DuckDBEngine

    return DuckDBEngine(connection, piece, is_final)
