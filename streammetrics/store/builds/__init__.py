"""What each build has sent, in the tables `builds`, `build_hours` and `codes`; and the order of builds.

Ingest brings them up to date in the transaction of its counters. They follow from all counters that were ever stored,
whatever the order of batches; retention does not change them. Of a build and code, `repeat_batch_id` is the first batch
with which the code had come in two different seconds; NULL while it has not.
"""

import re
from collections.abc import Iterable

from sqlalchemy import Connection

from streammetrics.store.builds.order import Build, Place, in_order
from streammetrics.store.statements import run

ESTABLISHED_RECORDS = 20
ESTABLISHED_SECONDS = 30
"""So many records that span so many seconds make a build one that is compared: a developer's stray record does not."""
ESTABLISHED = f"{ESTABLISHED_RECORDS} records that span {ESTABLISHED_SECONDS} s"

# Most builds have them within minutes: only for the others their whole history is read.
_HORIZONS_SECONDS = (600, 400 * 366 * 86_400)

_OVERLAP = "select min(first_second), max(last_second) from arrived where is_overlapping"
_SPAN = "select min(first_second), max(least(until_second, first_second + to_seconds($horizon))) from unsettled"
_ORDER = "select coalesce(any_value(builds_order), 'auto') from settings"
_APPEARED = "select build, coalesce(since_second, timestamp '9999-12-31') from builds"

_WHOLE_NUMBER = re.compile("[+-]?[0-9]{1,1000}")


def ordered_codes(codes: Iterable[str]) -> list[str]:
    """Each code once: as numbers where all are whole numbers, else as text."""
    found = set(codes)
    are_numbers = all(_WHOLE_NUMBER.fullmatch(code) for code in found)
    return sorted(found, key=lambda code: (int(code) if are_numbers else 0, code))


def update(connection: Connection, batch_id: int) -> bool:
    """Update the tables to all counters, the newest batches included; in the caller's transaction.

    These are the batch `batch_id` and what came after it. Returns whether a pair of build and code appeared that was
    not known.
    """
    has_new_pair = _add_codes(connection, batch_id)
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
    """Rebuild all from the counters alone."""
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


def _add_codes(connection: Connection, batch_id: int) -> bool:
    """Add the batch `batch_id` and what came after it, in the caller's transaction; whether a pair was not known.

    Leaves the temporary table `arrived`: what these batches hold of each pair of build and code.
    """
    batch = {"batch_id": batch_id}
    run(connection, "jobs/find_arrived_codes", batch)
    first, last = connection.exec_driver_sql(_OVERLAP).one()
    if first is not None:
        within = {**batch, "first_second": first, "last_second": last}
        run(connection, "jobs/count_arrived_seconds", within)
        run(connection, "jobs/find_arrived_repeats", within)
    run(connection, "jobs/add_to_codes")
    has_new_pair = connection.exec_driver_sql("select count(*) > 0 from arrived where is_new").scalar_one()
    if has_new_pair:
        run(connection, "jobs/add_codes")
    return bool(has_new_pair)


def count_codes(connection: Connection) -> None:
    """Make the temporary table `codes_counted`: what all counters say, found in another way than ingest does."""
    run(connection, "checks/codes_counted")


def complete_codes(connection: Connection) -> None:
    """Where counters were removed: make the table say no less than those that are kept; needs `codes_counted`."""
    run(connection, "jobs/complete_codes")
    run(connection, "jobs/list_codes")
