"""Records into the base tables, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from streammetrics.config.sections import OLDEST_DAYS
from streammetrics.sources.delimited import HEADER
from streammetrics.sources.files import SourceFile
from streammetrics.sources.readings import Reading
from streammetrics.sources.records import LONGEST_TEXT
from streammetrics.sources.times import typed
from streammetrics.statements import run


@dataclass(frozen=True)
class Batch:
    """What is loaded, as what, and when (naive UTC). From before `kept_from` nothing is kept.

    Of several files that are loaded together, which have one source and day, the batches follow each other: the file at
    place n of `paths` is batch `batch_id` + n.
    """

    batch_id: int
    file: SourceFile
    now: datetime
    future_limit_seconds: int
    kept_from: datetime | None = None
    paths: tuple[str, ...] = ()
    oldest_days: int = OLDEST_DAYS
    continued: dict[int, int] = field(default_factory=dict)
    """The batches that files go on from, by their places."""

    @property
    def last_id(self) -> int:
        """The batch of the last of them."""
        return self.batch_id + max(len(self.paths) - 1, 0)

    @property
    def typing(self) -> dict[str, object]:
        """The parameters of `typed`. What is later than `latest`, or before `oldest`, comes from a wrong clock."""
        return {
            "zone": self.file.source.timezone,
            "day": self.file.day(),
            "time_format": self.file.source.time_format,
            "latest": self.now + timedelta(seconds=self.future_limit_seconds),
            "future_limit_seconds": self.future_limit_seconds,
            "oldest": self.now - timedelta(days=self.oldest_days),
            "oldest_days": self.oldest_days,
            "longest_text": LONGEST_TEXT,
            "kept_from": self.kept_from,
            **self.stratum,
        }

    @property
    def stratum(self) -> dict[str, object]:
        """The parameter of `_STRATIFIED`, where the source has one."""
        return {} if self.file.source.stratum is None else {"stratum": self.file.source.stratum}


# An empty build stays empty, and is rejected.
_STRATIFIED = """records as (
    select * replace (case when build <> '' then $stratum || '/' || build end as build) from read
)"""

# Bytes, which a text knows of itself: what has more of them may have too many characters.
_PLAIN_HEAD = f"""insert into events
select case when build <> '' and strlen(build) <= {LONGEST_TEXT} and strlen(code) <= {LONGEST_TEXT} and"""

_PLAIN_TAIL = "then cast(ts as timestamp) else error('not plain') end, build, code, $batch_id from records"

_OUT_OF_RANGE = """
select error('out of range')
from events
where batch_id = $batch_id
having max(ts) > $latest or min(ts) < greatest(cast($oldest as timestamp), cast($kept_from as timestamp))
"""

_INSERT_TYPED = """
insert into events
select case when problem is null then ts else error(problem) end, build, code, $batch_id from typed
"""

# Above the 32 bits of a line's number stands the file's place in the batch (PLACE_BITS).
_ACCEPT = "insert into events select ts, build, code, $batch_id + (line >> 32) from typed where problem is null"

# DuckDB 1.5 loses what a transaction inserts into a table after it has inserted no rows into it.
_ANY = "select true from typed where problem is null limit 1"

_REJECT = """
insert into rejects
select $batch_id + (line >> 32), $source, $paths[1 + (line >> 32)], line & 4294967295, problem, content
from typed where problem is not null order by line
"""

_SPAN = "select min(ts), max(ts), count(*) from events where batch_id between $batch_id and $last_id"

_TALLIES = """
select
    coalesce(loaded.batch_id, refused.batch_id), coalesce(loaded.records, 0), coalesce(refused.records, 0),
    coalesce('line ' || refused.line || ': ' || refused.reason, ''), loaded.first_ts, loaded.last_ts,
    coalesce(refused.misread, 0), refused.least_ahead, refused.most_ahead, refused.header_line
from (
    select batch_id, count(*) as records, min(ts) as first_ts, max(ts) as last_ts
    from events where batch_id between $batch_id and $last_id group by batch_id
) as loaded
full join (
    select batch_id, count(*) as records, min(line) as line, min_by(reason, line) as reason,
        count(*) filter (where reason not like '%, of which retention keeps nothing') as misread,
        min(ahead) as least_ahead, max(ahead) as most_ahead,
        max(line) filter (where reason like $header || '%') as header_line
    from (
        select *, try_cast(replace(regexp_extract(reason, '^([0-9,]+) s ahead of', 1), ',', '') as bigint) as ahead
        from rejects where batch_id between $batch_id and $last_id
    )
    group by batch_id
) as refused using (batch_id)
"""

# A sample of the times is enough to cut them into portions of about the same number of records.
_CUTS = """
select distinct min(date_trunc('second', ts)) as cut
from (
    select ts, ntile($portions) over (order by ts) as portion
    from (
        select ts from events where batch_id between $batch_id and $last_id
        using sample reservoir(10000 rows) repeatable (1)
    )
)
group by portion
order by cut
"""

# In order of time: without it, counters defeat the zone maps of later queries and take half as much room again.
# In two halves: one thread reads what a transaction has added to an empty table, but two a union of two.
_COUNT = """
insert into counters
select date_trunc('second', ts) as second, build, code, count(*), batch_id
from (
    select ts, build, code, batch_id from events
    where batch_id between $batch_id and $last_id and ts >= $from_ts and ts < $half_ts
    union all
    select ts, build, code, batch_id from events
    where batch_id between $batch_id and $last_id and ts >= $half_ts and ts < $until_ts
)
group by all
order by second
"""

AHEAD_SECONDS = (300, 86_400)
"""Records that are all between so far ahead of the clock are suspected of a wrong time zone: no clock is so wrong."""

_PORTION_RECORDS = 3_000_000
"""Grouping so many records at a time keeps the memory of a file of any size, and the processor's cache, small."""


@dataclass(frozen=True)
class Tally:
    """What became of the records of a file, and when the first and the last were; the first reject in words.

    `misread` are the rejects that other settings might read: all but those that are older than what is kept. Of those
    that are of the future, `least_ahead` and `most_ahead` tell how far (s) they are ahead of the clock.
    `header_line`: see `Boundary`.
    """

    records: int = 0
    rejected: int = 0
    first_reject: str = ""
    min_ts: datetime | None = None
    max_ts: datetime | None = None
    misread: int = 0
    least_ahead: int | None = None
    most_ahead: int | None = None
    header_line: int | None = None


def quickly(connection: Connection, readings: Iterable[Reading], batch: Batch) -> None:
    """Insert all records.

    Raises:
        DBAPIError: one of them is not as it should be; the transaction is to be rolled back.
    """
    for reading in readings:
        parameters = {"batch_id": batch.batch_id, **batch.stratum, **reading.parameters}
        if reading.plain_guard:
            connection.exec_driver_sql(
                _with(batch, reading, "", _PLAIN_HEAD, reading.plain_guard, _PLAIN_TAIL), parameters
            )
            ends = {name: batch.typing[name] for name in ("latest", "oldest", "kept_from")}
            connection.exec_driver_sql(_OUT_OF_RANGE, {"batch_id": batch.batch_id, **ends})
        else:
            connection.exec_driver_sql(_with(batch, reading, typed(), _INSERT_TYPED), {**batch.typing, **parameters})


def carefully(connection: Connection, readings: Iterable[Reading], batch: Batch) -> None:
    """Insert the records that can be read, and the others with their line and reason as rejects."""
    batch_id = {"batch_id": batch.batch_id}
    place = {"source": batch.file.source.name, "paths": list(batch.paths) or [str(batch.file.path)]}
    has_events, has_order = False, batch.file.source.timezone != "UTC"
    expression = typed(has_order=has_order)
    for reading in readings:
        after = {"after": _latest(connection, batch)} if has_order else {}
        parameters = {**batch_id, **batch.typing, **after, **reading.parameters}
        if not has_events:
            unlabelled = {name: value for name, value in parameters.items() if name != "batch_id"}
            has_events = bool(connection.exec_driver_sql(_with(batch, reading, expression, _ANY), unlabelled).scalar())
        accepted = (
            connection.exec_driver_sql(_with(batch, reading, expression, _ACCEPT), parameters).scalar_one()
            if has_events
            else 0
        )
        # Reading the few portions that have rejects twice takes less memory than keeping all until they are told apart.
        if accepted != reading.records:
            connection.exec_driver_sql(_with(batch, reading, expression, _REJECT), {**parameters, **place})


def _latest(connection: Connection, batch: Batch) -> list[datetime | None]:
    batch_ids = list(range(batch.batch_id, batch.last_id + 1))
    known_ids = [batch.continued.get(place, 0) for place in range(len(batch_ids))]
    found: list[datetime | None] = run(
        connection, "jobs/latest_records", {"batch_ids": batch_ids, "known_ids": known_ids}
    ).scalar_one()
    return found


def count(connection: Connection, batch_id: int, last_id: int) -> dict[int, Tally]:
    """Counters of the events of the batches from one to another; what became of the records, batch by batch."""
    ids = {"batch_id": batch_id, "last_id": last_id}
    first, last, records = connection.exec_driver_sql(_SPAN, ids).one()
    if records:
        portions = {"portions": 1 + records // _PORTION_RECORDS, **ids}
        cuts = [cut for (cut,) in connection.exec_driver_sql(_CUTS, portions)] if records > _PORTION_RECORDS else []
        for start, stop in pairwise([first, *cuts[1:], last + timedelta(seconds=1)]):
            half = start + (stop - start) / 2
            connection.exec_driver_sql(_COUNT, {"from_ts": start, "half_ts": half, "until_ts": stop, **ids})
    tallied = {**ids, "header": HEADER}
    return {batch_id: Tally(*found) for batch_id, *found in connection.exec_driver_sql(_TALLIES, tallied)}


def _with(batch: Batch, reading: Reading, expression: str, *statement: str) -> str:
    """A statement on `records`, and on `typed` where the expression that makes it is given."""
    expressions = ("with records as (", reading.select, ")") + ((",", expression) if expression else ())
    if batch.file.source.stratum is not None:
        expressions = ("with read as (", reading.select, "),", _STRATIFIED, *expressions[3:])
    return "\n".join((*expressions, *statement))
