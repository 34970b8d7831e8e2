"""Errors over time of one side of a comparison, in steps: for rows of a heatmap, and rates of an incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from streammetrics.store.statements import statement
from streammetrics.store.views import Slice, compose, lags

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Series:
    """A series: the errors of these codes that one side sent, in `steps` steps from `first_second` (epoch)."""

    build: str
    codes: tuple[str, ...]
    first_second: int
    step_seconds: int
    steps: int

    @property
    def until_second(self) -> int:
        return self.first_second + self.steps * self.step_seconds


def errors(connection: Connection, wanted: Sequence[Series]) -> "list[NDArray[np.int64]]":
    """The errors of each series per step, by one query over their whole time."""
    import numpy as np

    found = [np.zeros(one.steps, np.int64) for one in wanted]
    rows = [
        (place, one.build, code, one.first_second, one.until_second, one.step_seconds)
        for place, one in enumerate(wanted)
        for code in one.codes
    ]
    if rows:
        names = ("series", "builds", "codes", "first_seconds", "until_seconds", "steps")
        begin, end = min(one.first_second for one in wanted), max(one.until_second for one in wanted)
        sql = compose(statement("reports/page_errors"), Slice(begin, end, 0, lags=lags(connection)))
        parameters = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        for series, places, counts in connection.exec_driver_sql(sql, parameters):
            found[series][places] = counts
    return found
