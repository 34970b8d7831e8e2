"""Runs all checks, prints the findings, and repairs."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import duckdb
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config
from streammetrics.doctor import around, checks
from streammetrics.doctor.findings import Finding
from streammetrics.errors import DamagedStoreError
from streammetrics.ingest import base_tables, counters_wide
from streammetrics.runtime import atomic_files, terminal
from streammetrics.store import builds, comments, rewind, views
from streammetrics.store.connection import Store
from streammetrics.store.statements import run

__all__ = ["Finding", "as_json", "examine", "mend", "render"]


def examine(store: Store, config: Config, now: datetime) -> Iterator[Finding]:
    """Everything that is wrong at `now` (naive UTC), also for a store that does not open.

    Raises:
        StoreBusyError: another process held the store for too long.
        InputOutputError: there is no store, or it is of another version or program.
    """
    try:
        with store.read() as connection:
            yield from around.around(connection, config)
            yield from checks.check(connection, now, has_log=Path(f"{store.path}.wal").exists())
    except DBAPIError as error:
        if isinstance(error.orig, duckdb.OutOfMemoryException) or atomic_files.is_full(error):
            raise
        yield around.damage(store.path, str(error.orig).splitlines()[0][:300])
    except DamagedStoreError as error:
        yield around.damage(store.path, str(error))


def mend(store: Store) -> list[str]:
    """Rebuild tables that are derived from the records, in one transaction; returns sentences that say what was done.

    Raises:
        InputOutputError: there is no store.
    """
    store.require()
    with store.write() as connection, connection.begin():
        return list(_repair(connection))


def render(finding: Finding) -> str:
    """Two lines for people."""
    return "\n".join(map(terminal.printable, (f"{finding.check}: {finding.what}", f"  -> {finding.advice}")))


def as_json(finding: Finding) -> str:
    """One line for programs."""
    return terminal.as_json(asdict(finding))


def _repair(connection: Connection) -> Iterator[str]:
    """Rebuild in the caller's transaction; the next pass judges affected bins again. Returns what was done."""
    checks.add_up(connection)
    run(connection, "jobs/find_wrong_batches")
    connection.exec_driver_sql("create or replace temp table builds_before as select * from builds")
    connection.exec_driver_sql("delete from counters where batch_id in (select batch_id from wrong_batches)")
    wrong = connection.exec_driver_sql("select batch_id, events from wrong_batches order by batch_id").all()
    for batch_id, events in wrong:
        if events:
            base_tables.count(connection, batch_id, batch_id)
    if wrong:
        yield f"the counters of {len(wrong):,} batches were rebuilt from their records"
    if connection.exec_driver_sql("select count(*) from removed where counters > 0").scalar():
        # After retention only these tables know which builds and codes there were, and since when.
        builds.count_codes(connection)
        builds.complete_codes(connection)
    else:
        builds.rebuild(connection)
    counters_wide.publish(connection)
    connection.exec_driver_sql("update store_info set views_hash = ''")
    views.publish(connection)
    comments.put(connection)
    since = run(connection, "jobs/mended_since").scalar_one()
    rewind.forget_batches(connection)
    if since is not None:
        rewind.rewind(connection, since)
        yield f"the next run judges again everything after {since}"
