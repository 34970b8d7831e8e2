"""What each build has sent, in the tables `builds`, `build_hours` and `codes`; and the order of builds.

Ingest brings them up to date in the transaction of its counters. They follow from all counters that were ever stored,
whatever the order of batches.
"""

from sqlalchemy import Connection

from streammetrics.store.builds import codes
from streammetrics.store.builds.order import Build, Place, in_order
from streammetrics.store.statements import run

ESTABLISHED_RECORDS = 20
ESTABLISHED_SECONDS = 30
"""So many records that span so many seconds make a build one that is compared: a developer's stray record does not."""

# Most builds have them within minutes: only for the others their whole history is read.
_HORIZONS_SECONDS = (600, 400 * 366 * 86_400)

_SPAN = "select min(first_second), max(least(until_second, first_second + to_seconds($horizon))) from unsettled"

_ORDER = "select coalesce(any_value(builds_order), 'auto') from settings"
_APPEARED = "select build, coalesce(since_second, timestamp '9999-12-31') from builds"


def update(connection: Connection, batch_id: int) -> bool:
    """Update the tables to all counters, the newest batches included; in the caller's transaction.

    These are the batch `batch_id` and what came after it. Returns whether a pair of build and code appeared that was
    not known.
    """
    has_new_pair = codes.add(connection, batch_id)
    run(connection, "jobs/find_arrived_hours", {"batch_id": batch_id})
    run(connection, "jobs/add_to_build_hours")
    run(connection, "jobs/add_build_hours")
    run(connection, "jobs/extend_builds")
    is_moved = run(connection, "jobs/add_builds").first() is not None
    run(connection, "jobs/find_unsettled_builds")
    for horizon in _HORIZONS_SECONDS:
        is_moved |= _settle(connection, horizon)
    if is_moved:
        place(connection)
    for name in ("arrived", "arrived_hours", "unsettled"):
        connection.exec_driver_sql(f"drop table {name}")
    return has_new_pair


def rebuild(connection: Connection) -> None:
    """Make all anew from nothing but the counters."""
    for name in ("codes", "build_hours", "builds"):
        connection.exec_driver_sql(f"delete from {name}")  # noqa: S608 these
    update(connection, 0)


def place(connection: Connection) -> None:
    """Store in `builds` each build's family and place in the order; in the caller's transaction."""
    places = in_order_of(connection)
    run(
        connection,
        "jobs/order_builds",
        {
            "builds": [one.build for one in places],
            "families": [one.family for one in places],
            "reasons": [one.ordered_by for one in places],
            "ranks": list(range(1, len(places) + 1)),
        },
    )


def in_order_of(connection: Connection) -> list[Place]:
    """All builds of the store in the configured order; before the first pass in that of `auto`."""
    order = connection.exec_driver_sql(_ORDER).scalar_one()
    return in_order((Build(*row) for row in connection.exec_driver_sql(_APPEARED)), order)


def _settle(connection: Connection, horizon: int) -> bool:
    """Set `since_second` of the builds that were established within so many seconds of their first record."""
    first, last = connection.exec_driver_sql(_SPAN, {"horizon": horizon}).one()
    if first is None:
        return False
    span = {"first_second": first, "last_second": last, "horizon": horizon}
    established = {"established": ESTABLISHED_RECORDS, "spanned": ESTABLISHED_SECONDS}
    settled = [build for (build,) in run(connection, "jobs/settle_builds", {**span, **established})]
    connection.exec_driver_sql("delete from unsettled where build in (select unnest($settled))", {"settled": settled})
    return bool(settled)
