"""How far pairs are judged, and how far their incidents are settled: the tables `progress` and `pauses`.

While either build of a pair is silent, or the pair has no place, its bins are not judged, and its incidents stay open.
`settled_until` is how far the pair is judged, minus those pauses. An incident is over if it ended `merge_seconds`
before that.
"""

from typing import TypedDict

from sqlalchemy import Connection

from streammetrics.engine import Engine
from streammetrics.store.statements import run
from streammetrics.store.views import LAST_SECOND, Slice


class Compared(TypedDict):
    """Queries that replace relations, by name."""

    earlier: str
    sides: str
    pairs: str


COMPARED: Compared = {
    "earlier": "select * from compared_earlier",
    "sides": "select * from compared_sides",
    "pairs": "select * from compared_pairs",
}
"""Replacements of relations on a connection that has planned a pass: their state at that time."""

_PRESENCE = "select build, second, records from kept_presence"
_SILENCES = "select build, from_second, until_second, is_rare from silences"

_FORGET = "delete from progress where rule in (select rule from rules)"


def keep_presence(connection: Connection, engine: Engine, piece: Slice) -> dict[str, str]:
    """Store in temporary tables when each build of the slice sent records or was silent, and which pairs had a place.

    Returns:
        Queries that replace `presence`, `gaps`, `places` and `pairs`, which are read more than once. Pairs without a
        place anywhere in the slice are left out.
    """
    compared = {name: str(text) for name, text in COMPARED.items()}
    engine.fill("kept_presence", "select build, second, records from presence", compared)
    compared["presence"] = _PRESENCE
    engine.fill("silences", "select build, from_second, until_second, is_rare from gaps", compared)
    engine.fill("kept_places", "select * from places", compared)
    engine.hand_over("silences")
    engine.hand_over("kept_places")
    with connection.begin():
        run(connection, "jobs/mark_displaced_pairs")
        run(connection, "jobs/find_placed_pairs", {"from_second": piece.after - piece.lead_seconds})
    kept = {"places": "select * from kept_places", "pairs": "select * from placed_pairs"}
    return {**compared, "gaps": _SILENCES, **kept}


def pause(connection: Connection, after: int) -> None:
    """Store in `pauses` when the pairs of `portion_scopes` were not judged, from `after` (epoch seconds) on.

    In the caller's transaction, after `keep_presence` of the slice that begins there.
    """
    scope = {"after": after}
    run(connection, "jobs/forget_pauses", scope)
    run(connection, "jobs/cut_pauses", scope)
    if run(connection, "jobs/find_pauses", scope).scalar_one():
        run(connection, "jobs/extend_pauses")
        run(connection, "jobs/add_pauses")


def remember(connection: Connection, reached: int) -> None:
    """Store in `progress` how far the scopes of the pass are judged: up to `reached` (epoch seconds) nothing waits.

    `LAST_SECOND`: the pass is complete.
    """
    connection.exec_driver_sql(_FORGET)
    run(connection, "jobs/record_progress", {"reached": reached, "last_second": LAST_SECOND})


def reach_unfounded(connection: Connection, after: int) -> None:
    """Extend `pass_scopes` to alerts that end after `after` (epoch second) and are based on unloaded records.

    Creates the temporary table `unfounded`: the span in which they end.
    """
    run(connection, "jobs/find_unfounded_alerts", {"after": after})
    run(connection, "jobs/reach_unfounded_alerts")


def supersedes(connection: Connection) -> bool:
    """Whether the planned pass ends a comparison, even if nothing waits to be judged."""
    return bool(run(connection, "jobs/ends_a_comparison").scalar_one())
