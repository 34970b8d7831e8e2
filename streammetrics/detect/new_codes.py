"""New codes of each comparison since the last pass: codes in the view `new_codes`, sent only by the candidate.

`progress` says which batches the last pass has seen. A code counts once it was sent in two different seconds, because
one client may send a burst of anything.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.detect.watermarks import COMPARED
from streammetrics.store.statements import run, statement
from streammetrics.store.views import compose

MOST_CODES = 10
"""How many codes of a comparison are named, the most frequent first; the others are counted."""


@dataclass(frozen=True)
class NewCode:
    """A row of the view `new_codes`, without the builds."""

    code: str
    first_ts: datetime
    baseline_errors: int
    candidate_errors: int
    candidate_seconds: int


@dataclass(frozen=True)
class NewCodes:
    """How many new codes a comparison has, and the most frequent of them."""

    baseline: str
    candidate: str
    codes: int
    most_frequent: tuple[NewCode, ...]


def since_mark(connection: Connection) -> list[NewCodes]:
    """New codes of the batches that were first seen since `incidents.mark`; of a new comparison, all its new codes.

    Empty if no pass was stored: the next pass will see these batches.
    """
    run(connection, "jobs/find_seen_batches")
    if not connection.exec_driver_sql("select count(*) from seen_since").scalar_one():
        return []
    found: dict[tuple[str, str, int], list[NewCode]] = {}
    sql = compose(statement("reports/new_codes_since"), **COMPARED)
    for baseline, candidate, codes, *code in connection.exec_driver_sql(sql, {"most": MOST_CODES}):
        found.setdefault((baseline, candidate, codes), []).append(NewCode(*code))
    return [NewCodes(*comparison, tuple(named)) for comparison, named in found.items()]
