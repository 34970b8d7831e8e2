"""Checks of the store against its ledger: queries that return no row, or else a description of what is wrong.

Each reads whole tables, and keeps of them a row a batch, a build, or a build and code in a minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.doctor.findings import MOST_ROWS, REPAIR, RESTORE, Finding
from streammetrics.store import builds, views
from streammetrics.store.builds import ESTABLISHED_RECORDS, ESTABLISHED_SECONDS, codes
from streammetrics.store.statements import run

SET_CLOCK = "set the clock; until it has caught up, records count as of the future from that time on"


@dataclass(frozen=True)
class _Check:
    """A check whose `statement` returns no row if all is well."""

    name: str
    statement: str
    advice: str


_CHECKS = (
    _Check("records", "checks/records", RESTORE),
    _Check("times", "checks/times", RESTORE),
    _Check("orphans", "checks/orphans", RESTORE),
    _Check("ledger", "checks/twice", RESTORE),
    _Check("ledger", "checks/strays", RESTORE),
    _Check("rejects", "checks/rejects", RESTORE),
    _Check("counters", "checks/counters", REPAIR),
    _Check("codes", "checks/codes", REPAIR),
    _Check("incidents", "checks/incidents", RESTORE),
    _Check("alerts", "checks/alerts", RESTORE),
    _Check("progress", "checks/progress", REPAIR),
)


def check(connection: Connection, now: datetime, *, has_log: bool) -> Iterator[Finding]:
    """All checks of the store's content; `has_log`: its last process did not end cleanly."""
    _read_all(connection)
    add_up(connection)
    codes.count(connection)
    for one in _CHECKS:
        yield from _told(connection, one)
    established = {"established": ESTABLISHED_RECORDS, "spanned": ESTABLISHED_SECONDS}
    yield from _told(connection, _Check("builds", "checks/builds", REPAIR), **established)
    if not has_log:
        yield from _told(connection, _Check("sequences", "checks/sequences", RESTORE))
    yield from _told(connection, _Check("clock", "checks/clock", SET_CLOCK), now=now)
    yield from _ranks(connection)
    yield from _views(connection)


def add_up(connection: Connection) -> None:
    """Make `batch_sums`: per batch the figures of the ledger and those of the tables."""
    run(connection, "checks/removed")
    run(connection, "checks/batch_sums")


def _told(connection: Connection, one: _Check, **parameters: object) -> Iterator[Finding]:
    rows = run(connection, one.statement, parameters).fetchmany(MOST_ROWS + 1)
    for (what,) in rows[:MOST_ROWS]:
        yield Finding(one.name, what, one.advice)
    if len(rows) > MOST_ROWS:
        yield Finding(one.name, "and more of them", one.advice)


def _read_all(connection: Connection) -> None:
    """Have DuckDB compare every block with its checksum; a block that is damaged is its error."""
    tables = connection.exec_driver_sql("select table_name from duckdb_tables() where not internal and not temporary")
    for name in tables.scalars().all():
        quoted = connection.dialect.identifier_preparer.quote_identifier(name)
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
        # Of an earlier version, or missing: the next pass makes them.
        return
    found = set(connection.exec_driver_sql("select view_name from duckdb_views() where not internal").scalars())
    for name in views.relations():
        if name not in found:
            yield Finding("views", f"view {name} is missing", REPAIR)
