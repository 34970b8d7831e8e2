"""Which builds are compared when, and the candidate's share of the exposure, from the views."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, SequentialRule
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.simulate.backtest.history import Copy
from streammetrics.sources import exposure
from streammetrics.store import settings_tables
from streammetrics.store.statements import statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, Slice, compose, portions

Seconds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """Two builds, and the seconds [from_second, until_second) of the copied history in which they are compared."""

    baseline: str
    candidate: str
    from_second: int
    until_second: int
    bin_seconds: int
    shares: npt.NDArray[np.float64]
    """The candidate's share of the exposure, per bin, from the bin that contains `from_second`."""

    def shares_at(self, seconds: Seconds) -> npt.NDArray[np.float64]:
        """The share in each of these seconds."""
        return self.shares[seconds // self.bin_seconds - self.from_second // self.bin_seconds]


def pairs_of(connection: Connection, config: Config, comparison: Comparison, within: Copy) -> list[Pair]:
    """The pairs that are compared in the seconds of `within`, lead-in included, in order of time.

    Shares are per bin of the first rule `sequential`; without such a rule, per bin of its default settings.
    """
    rule = next(
        (rule for rule in config.rule if isinstance(rule, SequentialRule)),
        SequentialRule(name="shares", detector="sequential"),
    )
    scoped = config.model_copy(update={"rule": (rule,), "comparison": (comparison,)})
    users = exposure.read(config)
    settings_tables.overlay(connection, scoped, users.rows, is_whole=users.is_whole)
    found = []
    for baseline, candidate, since, until in connection.exec_driver_sql(
        compose(statement("reports/pairs_of_now"))
    ).all():
        ends = max(since, within.from_second), min(until, within.to_second)
        if ends[0] < ends[1]:
            shares = _shares(connection, baseline, candidate, ends, rule.bin_seconds)
            found.append(Pair(baseline, candidate, *ends, rule.bin_seconds, shares))
    settings_tables.reveal(connection)
    return found


def _shares(
    connection: Connection, baseline: str, candidate: str, ends: tuple[int, int], width: int
) -> npt.NDArray[np.float64]:
    first = ends[0] // width
    shares = np.full(-(-ends[1] // width) - first, 0.5)
    # Slices contain whole bins, and are short enough for memory.
    for since, until in portions(first * width, (first + len(shares)) * width, DAY_SECONDS // width * width):
        builds = {"baseline": baseline, "candidate": candidate, "from_second": since, "until_second": until}
        sql = compose(statement("reports/shares_of_pair"), Slice(since, until, EXPOSURE_LEAD_SECONDS))
        column = fetched(connection, sql, builds)
        shares[column["bin_second"] // width - first] = column["candidate_share"]
    return shares


def fetched(connection: Connection, sql: str, parameters: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """The columns of a query as arrays."""
    cursor: Any = connection.exec_driver_sql(sql, parameters).cursor
    columns = cursor.fetchnumpy()
    return {name: np.ma.getdata(column) for name, column in columns.items()}
