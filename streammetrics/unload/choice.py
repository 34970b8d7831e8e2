"""Which batches go: those that are named, and what was read behind them.

Where a file or a database is read on from is told by the last batch of it. So that what is removed is read again, all
later batches of the same file or database go as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.errors import UsageError
from streammetrics.narrate import moment

_LIST = '`streammetrics query "select batch_id, source, path, records, loaded_at from batches"` lists them'

_NAMED = """
select named.batch_id, batches.batch_id is not null as is_known, batches.duplicate_of, unloaded.unloaded_at
from (select unnest($batch_ids) as batch_id) as named
left join batches using (batch_id)
left join unloaded using (batch_id)
order by named.batch_id
"""

_LOADED_SINCE = """
select batch_id from batches where source = $source and loaded_at >= $since and duplicate_of is null order by batch_id
"""

_SOURCES = (
    "select source, max(loaded_at) as loaded_at from batches where duplicate_of is null group by source order by source"
)

# A range begins where that of another batch ends, of the same content: it begins alike, or has the path or the inode.
# A database is read on from its last batch, and is known by its source; it has no time of change.
_FOLLOWERS = """
select
    later.batch_id,
    arg_max(
        former.batch_id,
        row(
            coalesce(news.head = olds.head, false), later.path = former.path, coalesce(news.inode = olds.inode, false),
            former.batch_id
        )
    ) as continues
from batches as later
inner join batches as former on later.range_start = former.range_end and former.batch_id < later.batch_id
left join contents as news on later.batch_id = news.batch_id
left join contents as olds on former.batch_id = olds.batch_id
where
    later.range_start > 0 and later.modified_ns <> 0 and former.modified_ns <> 0
    and later.duplicate_of is null and former.duplicate_of is null
group by later.batch_id
union all
select batch_id, continues
from (
    select batch_id, lag(batch_id) over (partition by source order by batch_id) as continues
    from batches where modified_ns = 0 and duplicate_of is null
)
where continues is not null
order by batch_id
"""

_DEPARTING = """
select batch_id, source, path, records, rejected, loaded_at, modified_ns <> 0 as is_file
from batches where batch_id in (select unnest($batch_ids)) order by batch_id
"""


@dataclass(frozen=True)
class Departing:
    """A batch that goes. `continues`: the batch before it, where it goes because that does. `loaded_at`: naive UTC."""

    batch_id: int
    source: str
    path: Path
    records: int
    rejected: int
    loaded_at: datetime
    is_file: bool
    continues: int | None = None


def named(connection: Connection, batch_ids: Sequence[int]) -> list[int]:
    """The batches of these numbers.

    Raises:
        UsageError: one of them is not in the ledger, or stands for the content of another one.
    """
    for row in connection.exec_driver_sql(_NAMED, {"batch_ids": list(batch_ids)}):
        if row.unloaded_at is not None:
            raise UsageError(f"batch {row.batch_id} was unloaded at {moment(row.unloaded_at)} already")
        if not row.is_known:
            raise UsageError(f"there is no batch {row.batch_id}; {_LIST}")
        if row.duplicate_of is not None:
            raise UsageError(
                f"batch {row.batch_id} has no records of its own: its content counts as batch {row.duplicate_of}; "
                "unload that one"
            )
    return sorted(set(batch_ids))


def loaded_since(connection: Connection, source: str | None, since: datetime | None) -> list[int]:
    """The batches of a source that were loaded at or after a time (naive UTC).

    Raises:
        UsageError: there is none, or one of the two is not given.
    """
    if source is None or since is None:
        raise UsageError("name the batches to unload, or give both --source NAME and --since TIME; " + _LIST)
    found = list(connection.exec_driver_sql(_LOADED_SINCE, {"source": source, "since": since}).scalars())
    if not found:
        last = {row.source: row.loaded_at for row in connection.exec_driver_sql(_SOURCES)}
        if source in last:
            raise UsageError(
                f"no batch of source {source!r} was loaded since {moment(since)}; the last one was at "
                f"{moment(last[source])}"
            )
        raise UsageError(f"no batch is of source {source!r}; there are batches of: {', '.join(last) or 'none'}")
    return found


def with_followers(connection: Connection, batch_ids: Sequence[int]) -> list[Departing]:
    """These batches, and the later ones of the same files and databases, in order of their numbers."""
    departing: dict[int, int | None] = dict.fromkeys(batch_ids)
    # A batch has a higher number than the one that it continues.
    for batch_id, continues in connection.exec_driver_sql(_FOLLOWERS):
        if continues in departing:
            departing.setdefault(batch_id, continues)
    rows = connection.exec_driver_sql(_DEPARTING, {"batch_ids": list(departing)}).all()
    return [
        Departing(batch_id, source, Path(path), records, rejected, loaded_at, is_file, departing[batch_id])
        for batch_id, source, path, records, rejected, loaded_at, is_file in rows
    ]
