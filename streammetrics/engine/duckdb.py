"""Relations of a slice as temporary tables of the store."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from streammetrics.store.views import Slice, compose


@dataclass(frozen=True)
class DuckDBEngine:
    """Each relation is computed by one statement, in a transaction of its own.

    DuckDB 1.5 estimates zero rows for what the same transaction inserted, and then chooses a join order that takes
    minutes.
    """

    connection: Connection
    piece: Slice
    is_final: bool

    def fill(self, name: str, text: str, bases: Mapping[str, str], parameters: Mapping[str, int] | None = None) -> None:
        select = compose(f"select * from (\n{text}\n)", self.piece, is_final=self.is_final, **bases)  # noqa: S608
        with self.connection.begin():
            self.connection.exec_driver_sql(f"create or replace temp table {name} as\n{select}", dict(parameters or {}))

    def hand_over(self, name: str) -> None:
        """Nothing to do: it is a temporary table of the store already."""

    def close(self) -> None:
        """Nothing to release."""
