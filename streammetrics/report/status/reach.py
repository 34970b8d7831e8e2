"""How far comparisons are judged, and what a young one can find by now: the relation `reaches`."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from streammetrics.config.rules import BLOCK_SECONDS, ESTIMATE_SECONDS, LOOK_BACK_BLOCKS
from streammetrics.detect.passes import DAY_SECONDS
from streammetrics.runtime import utc
from streammetrics.store.statements import run, statement
from streammetrics.store.views import Slice, compose, lags

_REACHES = "select baseline, candidate, min(rate_ratio) as rate_ratio from reaches group by all"


class Comparison(BaseModel):
    """How far two builds are judged, None where never; `awaited` is the build that is `behind_seconds` behind.

    `judged_seconds`: for how long both of them have been there by then. `is_displaced`: other comparisons of the family
    go first. `awaits_users`: it waits for the users of its builds, for a file that may tell them cannot be read.
    """

    model_config = ConfigDict(frozen=True)

    baseline: str
    candidate: str
    judged_until: datetime | None
    is_displaced: bool
    awaited: str | None
    behind_seconds: int
    judged_seconds: int | None
    awaits_users: bool = False


class Reach(BaseModel):
    """The least ratio of the grid that a young comparison, judged for so long, would have found; None where none."""

    model_config = ConfigDict(frozen=True)

    baseline: str
    candidate: str
    judged_seconds: int
    rate_ratio: float | None


def comparisons(connection: Connection, *, is_unread: bool = False) -> tuple[Comparison, ...]:
    """The pairs that are compared now, those that wait for a build behind others, then those that have no place.

    Args:
        is_unread: a file that tells the users of builds cannot be read now.
    """
    found = connection.exec_driver_sql(compose(statement("reports/judged")), {"is_unread": is_unread})
    return tuple(Comparison(**row) for row in found.mappings())


def reaches(connection: Connection, compared: Iterable[Comparison]) -> tuple[Reach, ...]:
    """Of the comparisons that are judged for less than a day; none without a rule `sequential`.

    Reads as much as a pass that judges the same time.
    """
    widest, history_seconds = run(connection, "reports/reach_widths").one()
    young = [
        (found, utc.second_of(found.judged_until), found.judged_seconds)
        for found in compared
        if found.judged_until is not None
        and not found.is_displaced
        and found.judged_seconds
        and 0 < found.judged_seconds < DAY_SECONDS
    ]
    if widest is None or not young:
        return ()
    until = max(judged_until for _, judged_until, _ in young)
    begin = min(judged_until - seconds for _, judged_until, seconds in young)
    lead = LOOK_BACK_BLOCKS * max(BLOCK_SECONDS, widest) + ESTIMATE_SECONDS + BLOCK_SECONDS + 2 * widest
    piece = Slice(max(begin - widest, until - history_seconds), until, lead, lags=lags(connection))
    ratios = {
        (row.baseline, row.candidate): row.rate_ratio for row in connection.exec_driver_sql(compose(_REACHES, piece))
    }
    return tuple(
        Reach(
            baseline=found.baseline,
            candidate=found.candidate,
            judged_seconds=seconds,
            rate_ratio=ratios.get((found.baseline, found.candidate)),
        )
        for found, _, seconds in young
    )
