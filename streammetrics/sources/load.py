"""Records into the base tables, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from streammetrics.sources.files import SourceFile
from streammetrics.sources.readings import Reading
from streammetrics.sources.times import TYPED


@dataclass(frozen=True)
class Batch:
    """What is loaded, as what, and when (naive UTC). From before `kept_from` nothing is kept."""

    batch_id: int
    file: SourceFile
    now: datetime
    future_limit_seconds: int
    kept_from: datetime | None = None

    @property
    def typing(self) -> dict[str, object]:
        """The parameters of `TYPED`. What is later than `latest` comes from a clock that is wrong."""
        return {
            "zone": self.file.source.timezone,
            "day": self.file.day(),
            "latest": self.now + timedelta(seconds=self.future_limit_seconds),
            "future_limit_seconds": self.future_limit_seconds,
            "kept_from": self.kept_from,
        }


_PLAIN_HEAD = "insert into events select case when build <> '' and"

_PLAIN_TAIL = "then cast(ts as timestamp) else error('not plain') end, build, code, $batch_id from records"

# A bare cast takes a year of three digits for one.
_OUT_OF_RANGE = """
select error('out of range')
from events
where batch_id = $batch_id
having max(ts) > $latest or min(ts) < greatest(timestamp '1000-01-01 00:00:00', cast($kept_from as timestamp))
"""

_INSERT_TYPED = """
insert into events
select case when problem is null then ts else error(problem) end, build, code, $batch_id from typed
"""

_ACCEPT = "insert into events select ts, build, code, $batch_id from typed where problem is null"

# DuckDB 1.5 loses what a transaction inserts into a table after it has inserted no rows into it.
_ANY = "select true from typed where problem is null limit 1"

_REJECT = """
insert into rejects
select $batch_id, $source, $file, line, problem, content from typed where problem is not null order by line
"""

_REJECTED = "select count(*), min(line), min_by(reason, line) from rejects where batch_id = $batch_id"

_LOADED = "select count(*), min(ts), max(ts) from events where batch_id = $batch_id"

# A sample of the times is enough to cut them into portions of about the same number of records.
_CUTS = """
select distinct min(date_trunc('second', ts)) as cut
from (
    select ts, ntile($portions) over (order by ts) as portion
    from (select ts from events where batch_id = $batch_id using sample reservoir(10000 rows) repeatable (1))
)
group by portion
order by cut
"""

# In order of time: without it, counters defeat the zone maps of later queries and take half as much room again.
_COUNT = """
insert into counters
select date_trunc('second', ts) as second, build, code, count(*), $batch_id
from events
where batch_id = $batch_id and ts >= $from_ts and ts < $until_ts
group by all
order by second
"""

_PORTION_RECORDS = 3_000_000
"""Grouping so many records at a time keeps the memory of a file of any size, and the processor's cache, small."""


@dataclass(frozen=True)
class Rejected:
    """How many records could not be read, and the first of them in words; empty where there is none."""

    records: int = 0
    first: str = ""


def quickly(connection: Connection, readings: Iterable[Reading], batch: Batch) -> Rejected:
    """Insert all records.

    Raises:
        DBAPIError: one of them is not as it should be; the transaction is to be rolled back.
    """
    for reading in readings:
        parameters = {"batch_id": batch.batch_id, **reading.parameters}
        if reading.plain_guard:
            connection.exec_driver_sql(_with(reading, "", _PLAIN_HEAD, reading.plain_guard, _PLAIN_TAIL), parameters)
            ends = {"latest": batch.typing["latest"], "kept_from": batch.kept_from}
            connection.exec_driver_sql(_OUT_OF_RANGE, {"batch_id": batch.batch_id, **ends})
        else:
            connection.exec_driver_sql(_with(reading, TYPED, _INSERT_TYPED), {**parameters, **batch.typing})
    return Rejected()


def carefully(connection: Connection, readings: Iterable[Reading], batch: Batch) -> Rejected:
    """Insert the records that can be read, and the others with their line and reason as rejects."""
    batch_id = {"batch_id": batch.batch_id}
    place = {"source": batch.file.source.name, "file": str(batch.file.path)}
    has_events = False
    for reading in readings:
        parameters = {**batch_id, **batch.typing, **reading.parameters}
        if not has_events:
            unlabelled = {name: value for name, value in parameters.items() if name != "batch_id"}
            has_events = bool(connection.exec_driver_sql(_with(reading, TYPED, _ANY), unlabelled).scalar())
        accepted = (
            connection.exec_driver_sql(_with(reading, TYPED, _ACCEPT), parameters).scalar_one() if has_events else 0
        )
        # Reading the few portions that have rejects twice takes less memory than keeping all until they are told apart.
        if accepted != reading.records:
            connection.exec_driver_sql(_with(reading, TYPED, _REJECT), {**parameters, **place})
    records, line, reason = connection.exec_driver_sql(_REJECTED, batch_id).one()
    return Rejected(records, f"line {line}: {reason}" if records else "")


def count(connection: Connection, batch_id: int) -> tuple[int, datetime | None, datetime | None]:
    """Counters of the events of a batch; the number of its records, and their first and last time."""
    label = {"batch_id": batch_id}
    records, first, last = connection.exec_driver_sql(_LOADED, label).one()
    if not records:
        return 0, None, None
    portions = {"portions": 1 + records // _PORTION_RECORDS, **label}
    cuts = [cut for (cut,) in connection.exec_driver_sql(_CUTS, portions)]
    for start, stop in pairwise([first, *cuts[1:], last + timedelta(seconds=1)]):
        connection.exec_driver_sql(_COUNT, {"from_ts": start, "until_ts": stop, **label})
    return records, first, last


def _with(reading: Reading, typed: str, *statement: str) -> str:
    """A statement on `records`, and on `typed` where the expressions that make it are given."""
    expressions = ("with records as (", reading.select, ")") + ((",", typed) if typed else ())
    return "\n".join((*expressions, *statement))
