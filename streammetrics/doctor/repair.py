"""What can be made anew from the records is: counters, builds, codes and views, in one transaction."""

from collections.abc import Iterator

from sqlalchemy import Connection

from streammetrics import builds, comments, relations, views, watermarks, wide
from streammetrics.builds import codes
from streammetrics.doctor import sums
from streammetrics.sources import load

# Only where the records themselves are those of the ledger; counters of no batch count nothing.
_WRONG = """
create or replace temp table wrong_batches as
select batch_id, events, least(min_second, date_trunc('second', min_ts)) as since
from batch_sums
where
    (records = events and gone_counters = 0 and not is_counted)
    or (records is null and events = 0 and errors > 0)
"""

_BUILDS_BEFORE = "create or replace temp table builds_before as select * from builds"

_BUILDS_SINCE = """
select min(least(builds.first_second, builds_before.first_second))
from builds full join builds_before using (build)
where
    (builds.version_rank, builds.family, builds.first_second, builds.since_second, builds.last_second)
    is distinct from (
        builds_before.version_rank, builds_before.family, builds_before.first_second, builds_before.since_second,
        builds_before.last_second
    )
"""


def repair(connection: Connection) -> Iterator[str]:
    """Rebuild, in the caller's transaction, and have the next pass judge anew what that touches; what was done."""
    sums.add_up(connection)
    connection.exec_driver_sql(_WRONG)
    connection.exec_driver_sql(_BUILDS_BEFORE)
    connection.exec_driver_sql("delete from counters where batch_id in (select batch_id from wrong_batches)")
    wrong = connection.exec_driver_sql("select batch_id, events from wrong_batches order by batch_id").all()
    for batch_id, events in wrong:
        if events:
            load.count(connection, batch_id, batch_id)
    if wrong:
        yield f"the counters of {len(wrong):,} batches were made anew from their records"
    if connection.exec_driver_sql("select count(*) from removed where counters > 0").scalar():
        # What builds and codes there were, and since when, only these tables know.
        codes.count(connection)
        codes.complete(connection)
    else:
        builds.rebuild(connection)
    wide.publish(connection)
    connection.exec_driver_sql("update store_info set views_hash = ''")
    views.publish(connection)
    comments.put(connection)
    since = connection.exec_driver_sql(
        f"select min(since) from (select since from wrong_batches union all ({_BUILDS_SINCE}))"  # noqa: S608 ours
    ).scalar_one()
    watermarks.forget_batches(connection)
    if since is not None:
        relations.rewind(connection, since)
        yield f"what lies after {since} is judged anew by the next run"
