"""Checks of the store against its ledger: queries that return a row for each thing that is wrong.

Each reads whole tables, but keeps in memory at most a row per batch, per build, or per build, code and minute.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.doctor.findings import MOST_ROWS, REPAIR, RESTORE, Finding
from streammetrics.store import builds, views
from streammetrics.store.builds import ESTABLISHED_RECORDS, ESTABLISHED_SECONDS
from streammetrics.store.statements import quoted_name, run

SET_CLOCK = "set the clock; until it has caught up, records count as of the future from that time on"


_CHECKS = (
    ("records", "checks/records", RESTORE),
    ("times", "checks/times", RESTORE),
    ("orphans", "checks/orphans", RESTORE),
    ("ledger", "checks/twice", RESTORE),
    ("ledger", "checks/strays", RESTORE),
    ("rejects", "checks/rejects", RESTORE),
    ("counters", "checks/counters", REPAIR),
    ("codes", "checks/codes", REPAIR),
    ("incidents", "checks/incidents", RESTORE),
    ("alerts", "checks/alerts", RESTORE),
    ("progress", "checks/progress", REPAIR),
)
"""The name of a check, its statement, which returns no row if nothing is wrong, and what to do."""


def check(connection: Connection, now: datetime, *, has_log: bool) -> Iterator[Finding]:
    """All checks of the store's content. `has_log`: the last process did not end cleanly."""
    _read_all(connection)
    add_up(connection)
    builds.count_codes(connection)
    run(connection, "jobs/define_slot")
    for name, statement, advice in _CHECKS:
        yield from _found(connection, name, statement, advice)
    established = {"established": ESTABLISHED_RECORDS, "spanned": ESTABLISHED_SECONDS}
    yield from _found(connection, "builds", "checks/builds", REPAIR, **established)
    if not has_log:
        yield from _found(connection, "sequences", "checks/sequences", RESTORE)
    yield from _found(connection, "clock", "checks/clock", SET_CLOCK, now=now)
    yield from _ranks(connection)
    yield from _views(connection)


def add_up(connection: Connection) -> None:
    """Create the temporary table `batch_sums`: per batch the figures of the ledger and those of the tables."""
    run(connection, "checks/removed")
    run(connection, "checks/batch_sums")


def _found(connection: Connection, name: str, statement: str, advice: str, **parameters: object) -> Iterator[Finding]:
    rows = run(connection, statement, parameters).scalars().fetchmany(MOST_ROWS + 1)
    yield from (Finding(name, what, advice) for what in rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield Finding(name, "and more of them", advice)


def _read_all(connection: Connection) -> None:
    """Read every block, so that DuckDB compares it with its checksum; it raises an error for a damaged block."""
    tables = connection.exec_driver_sql("select table_name from duckdb_tables() where not internal and not temporary")
    for name in tables.scalars().all():
        quoted = quoted_name(connection, name)
        connection.exec_driver_sql(f"select bit_xor(hash({quoted})) from {quoted}").all()  # noqa: S608 of the catalogue


def _ranks(connection: Connection) -> Iterator[Finding]:
    rows = connection.exec_driver_sql("select build, family, ordered_by from builds order by version_rank").all()
    for found, (build, *place) in zip(builds.in_order_of(connection), rows, strict=True):
        if (build, place) != (found.build, [found.family, found.ordered_by]):
            yield Finding(
                "builds", f"builds {build} and {found.build}: their order is not that of the settings", REPAIR
            )
            return


def _views(connection: Connection) -> Iterator[Finding]:
    if connection.exec_driver_sql("select views_hash from store_info").scalar_one() != views.published_hash():
        # The views are of an earlier version, or missing: the next pass makes them.
        return
    found = set(connection.exec_driver_sql("select view_name from duckdb_views() where not internal").scalars())
    for name in views.relations():
        if name not in found:
            yield Finding("views", f"view {name} is missing", REPAIR)
