"""Where files are read and passes are computed: in the store itself, or on a Spark cluster.

In come the texts of sql/views/ and a slice of time; out go temporary tables of the store. `duckdb` and `spark` have the
same interface: `fill` makes a relation, `hand_over` brings it into the store. `detect` opens an engine for each portion
of a pass. `cluster_files` and `cluster_load` read files on a cluster, as `sources` does on this machine. With either
engine, tables of the store are written only by their own rooms.
"""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.store.views import Slice


class Engine(Protocol):
    """Relations of one slice of time."""

    def fill(self, name: str, text: str, bases: Mapping[str, str], parameters: Mapping[str, int] | None = None) -> None:
        """Make the relation `name` from a SELECT over relations of sql/views/, tables, and relations made before.

        Args:
            bases: texts that stand in for a relation, by its name; see `views.compose`.
        """

    def hand_over(self, name: str) -> None:
        """Make a temporary table of the store from a relation that was filled."""

    def close(self) -> None:
        """Release everything outside of the store."""


def opened(config: Config, connection: Connection, piece: Slice, *, is_final: bool) -> Engine:
    """Open the configured engine for one slice; no transaction may be open.

    Raises:
        ConfigError: the Spark client is not installed.
        InputOutputError: the cluster does not answer.
    """
    if config.engine.kind == "spark":
        from streammetrics.engine.spark import SparkEngine

        return SparkEngine(config.engine, connection, piece, is_final)
    from streammetrics.engine.duckdb import DuckDBEngine

    return DuckDBEngine(connection, piece, is_final)
