"""Adds the intervals of ratios to the alerts that a pass has found."""

from sqlalchemy import Connection

from streammetrics.detect.intervals import ratio_intervals
from streammetrics.store.statements import run


def put(connection: Connection) -> None:
    """Fill ratio_low and ratio_high in the temporary table `found`, for rules that have an interval."""
    rows = [tuple(row) for row in run(connection, "jobs/alerts_without_intervals")]
    if not rows:
        return
    names = ("errors", "more", "shares", "tested", "dispersions")
    intervals = dict(zip(("lows", "highs"), map(list, zip(*ratio_intervals(rows), strict=True)), strict=True))
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    run(connection, "jobs/put_intervals", {**columns, **intervals})
