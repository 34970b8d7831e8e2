"""New codes of each comparison since the last pass: codes that only its candidate has sent, by the view `new_codes`.

`progress` holds the batches that the last pass has seen. A code counts from the batch with which it has been sent in
two different seconds, because one client may send a burst of anything.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from streammetrics.detect.watermarks import COMPARED
from streammetrics.store.statements import run, statement
from streammetrics.store.views import compose

MOST_CODES = 10
"""How many codes of a comparison are named, the most frequent first; the others are counted."""


@dataclass(frozen=True)
class NewCodes:
    """How many new codes a comparison has, and the most frequent of them as rows of the view, without the builds."""

    baseline: str
    candidate: str
    codes: int
    most_frequent: tuple[dict[str, Any], ...]


def mark(connection: Connection) -> None:
    """Store which batches passes have seen, for `since_mark` after the next pass; in the caller's transaction."""
    run(connection, "jobs/mark_seen_batches")


def since_mark(connection: Connection) -> list[NewCodes]:
    """New codes of the batches that were first seen by the passes since `mark`; of a new comparison all of its codes.

    Nothing if no pass was stored: the next one will see these batches.
    """
    run(connection, "jobs/find_seen_batches")
    if not connection.exec_driver_sql("select count(*) from seen_since").scalar_one():
        return []
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    sql = compose(statement("reports/new_codes_since"), **COMPARED)
    for row in map(dict, connection.exec_driver_sql(sql, {"most": MOST_CODES}).mappings()):
        comparison = (row.pop("baseline"), row.pop("candidate"), row.pop("codes"))
        found.setdefault(comparison, []).append(row)
    return [NewCodes(*comparison, tuple(named)) for comparison, named in found.items()]
