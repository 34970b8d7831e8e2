"""Rebuilds what follows from the records: counters, builds, codes and views, in one transaction."""

from collections.abc import Iterator

from sqlalchemy import Connection

from streammetrics.doctor.checks import add_up
from streammetrics.ingest import base_tables, counters_wide
from streammetrics.store import builds, comments, rewind, views
from streammetrics.store.builds import codes
from streammetrics.store.statements import run

_BUILDS_BEFORE = "create or replace temp table builds_before as select * from builds"


def repair(connection: Connection) -> Iterator[str]:
    """Rebuild, in the caller's transaction, and have the next pass judge affected bins again; returns what was done."""
    add_up(connection)
    run(connection, "jobs/find_wrong_batches")
    connection.exec_driver_sql(_BUILDS_BEFORE)
    connection.exec_driver_sql("delete from counters where batch_id in (select batch_id from wrong_batches)")
    wrong = connection.exec_driver_sql("select batch_id, events from wrong_batches order by batch_id").all()
    for batch_id, events in wrong:
        if events:
            base_tables.count(connection, batch_id, batch_id)
    if wrong:
        yield f"the counters of {len(wrong):,} batches were made anew from their records"
    if connection.exec_driver_sql("select count(*) from removed where counters > 0").scalar():
        # What builds and codes there were, and since when, only these tables know.
        codes.count(connection)
        codes.complete(connection)
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
        yield f"what lies after {since} is judged anew by the next run"
