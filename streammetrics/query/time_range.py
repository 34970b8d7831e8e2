"""Limits the relations of a store to a span of time; the cost depends on the span alone.

A row belongs to the span [since, until) by its own time: `ts` of a record, `second` of a count, the beginning of a bin,
the beginning of a window's last bin, `loaded_at` of a batch and its rejects. Rows with a beginning and an end (alerts,
incidents, runs, gaps, pairs) belong to every span that they overlap. Relations without times are complete.

Relations that are computed from counters are composed over slices of the counters, in portions: a week at once needs
more than 1 GB. Bins and windows are those of the codes that either build sent in the portion or near it, so a code that
was silent for hours adds no rows of zeros. A portion far from any record adds no rows. A comparison has rows where it
is judged and where its windows look back. Numbers that are valid only within one query (`series`, its keys, running
sums) are left out.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.config.rules import lead_seconds
from streammetrics.errors import UsageError
from streammetrics.runtime import utc
from streammetrics.store.statements import quoted_name, run, statement
from streammetrics.store.views import (
    EXPOSURE_LEAD_SECONDS,
    PORTION_SECONDS,
    Slice,
    compose,
    for_people,
    lags,
    portions,
    relations,
    timestamp_literal,
    whole_incidents,
)

_MOMENTS = ("ts", "second", "bin_second", "stop_second", "loaded_at")
_NUMBERS = ("series", "past_bins", "total", "before_total", "least_total", "top_total")
"""Columns that are valid only within one query: numbers of series, and running sums."""

_STRETCHES = (("start_ts", "end_ts"), ("started_at", "finished_at"), ("from_second", "until_second"))

_ALL_PAIRS_JOIN = """
inner join pairs using (pair_id)
inner join all_pairs on pairs.baseline = all_pairs.baseline and pairs.candidate = all_pairs.candidate
"""


@dataclass(frozen=True)
class Span:
    """The naive UTC times [since, until)."""

    since: datetime = datetime.min  # noqa: DTZ901 - naive means UTC throughout
    until: datetime = datetime.max  # noqa: DTZ901

    def holds(self, columns: dict[str, str]) -> str | None:
        """The condition for a row with these columns (name: type) to belong to the span; None: always."""
        if self == Span():
            return None
        for name in _MOMENTS:
            if name in columns:
                since, until = self._literals(columns[name])
                return f"{name} >= {since} and {name} < {until}"
        for start, end in _STRETCHES:
            if start in columns and end in columns:
                since, until = self._literals(columns[start])
                return f"{end} > {since} and {start} < {until}"
        return None

    def seconds(self) -> tuple[int, int]:
        """The whole epoch seconds that begin in the span: [from, until)."""
        return _ceiling(self.since), _ceiling(self.until)

    def _literals(self, type_name: str) -> tuple[str, str]:
        if type_name == "TIMESTAMP":
            return _literal(self.since), _literal(self.until)
        since, until = self.seconds()
        return f"{since:d}", f"{until:d}"


def span(since: datetime | None, until: datetime | None) -> Span:
    """The span between two times, either of which may be None: unlimited; naive times are UTC.

    Raises:
        UsageError: it is empty.
    """
    found = Span(utc.naive(since or Span.since), utc.naive(until or Span.until))
    if found.since >= found.until:
        raise UsageError(f"--since {found.since} is not before --until {found.until}: nothing lies between")
    return found


def names(connection: Connection) -> list[str]:
    """The tables and views of the store, sorted."""
    return list(run(connection, "reports/relation_names").scalars())


def counts_records(name: str) -> bool:
    """Whether a relation of sql/ is computed from the counters, so that it must be computed in portions."""
    relation = relations().get(name)
    return relation is not None and any(below == "counters" or counts_records(below) for below in relation.reads)


def narrow(connection: Connection, wanted: Iterable[str], within: Span) -> None:
    """Create temporary relations that hide those of the store with the same names, limited to the span.

    Unknown names are ignored.
    """
    known = names(connection)
    there = [name for name in wanted if name in known]
    # Relations of sql/ first: once there is a temporary `counters`, their texts would read it.
    for name in sorted(there, key=lambda name: name not in relations()):
        quoted = quoted_name(connection, name)
        if name not in relations():
            (select,) = selects(connection, name, within)
            connection.exec_driver_sql(f"create temp view {quoted} as\n{select}")
            continue
        # Recreate until there is a row: DuckDB 1.5 loses rows inserted after an insert of no rows in a transaction.
        into = f"create or replace temp table {quoted} as\n"
        for select in selects(connection, name, within):
            if connection.exec_driver_sql(into + select).scalar_one():
                into = f"insert into temp.main.{quoted}\n"


def selects(connection: Connection, name: str, within: Span) -> Iterator[str]:
    """A table or view limited to the span, as one query, or as one query for each portion."""
    if name not in relations():
        yield _base_select(connection, name, within)
        return
    columns = _columns(connection, compose(f"select * from {name}"))  # noqa: S608 a name of sql/
    moment = next((column for column in _MOMENTS if column in columns), None)
    if moment is None or not counts_records(name):
        select = f"select * from {name} where {within.holds(columns) or 'true'}"  # noqa: S608 a name of sql/, literals
        is_cut = "start_ts" in columns and within != Span()
        yield compose(select, alerts=_alerts(connection, within) if is_cut else "select * from main.alerts")
        return
    all_pairs = compose("select pair_id, baseline, candidate from pairs")
    before = lags(connection)
    for after, until, lead in _portions(connection, name, within):
        # Also look ahead by the lead: windows of a pair look back to before it begins.
        select = _portion_select(name, moment, columns, after, until)
        piece = Slice(after, until + lead, lead, lags=before)
        yield compose(select, piece, is_final=False, all_pairs=all_pairs, **for_people(name))


def _portion_select(name: str, moment: str, columns: dict[str, str], after: int, until: int) -> str:
    """Rows of a portion in order of time; `pair_id` is renumbered, other numbers of the slice are left out."""
    kept = [column for column in columns if column not in _NUMBERS]
    listed = ", ".join(f"{'all_pairs' if column == 'pair_id' else name}.{column}" for column in kept)
    join = _ALL_PAIRS_JOIN if "pair_id" in columns else ""
    order = ", ".join([f"{name}.{moment}", *(f"{place:d}" for place in range(1, len(kept) + 1))])
    return (
        f"select {listed} from {name}\n{join}"  # noqa: S608 names of sql/ and whole numbers
        f"where {name}.{moment} >= {after:d} and {name}.{moment} < {until:d} order by {order}"
    )


def _portions(connection: Connection, name: str, within: Span) -> Iterator[tuple[int, int, int]]:
    """Cut a long span into portions: (from second, until second, lead in seconds); at least one."""
    first, end = run(connection, "reports/slice_bounds").one()
    windows = [tuple(row) for row in connection.exec_driver_sql("select detector, bin_seconds, window_bins from rules")]
    if name == "bins":
        # Evidence looks back for most of a day; bins do not, and `sequential` has only bins with errors.
        windows = [(name, seconds, 1 if detector == "sequential" else bins) for detector, seconds, bins in windows]
    lead = lead_seconds(windows, EXPOSURE_LEAD_SECONDS)
    since, until = within.seconds()
    after, until = max(since, first), min(until, end)
    if until - after <= PORTION_SECONDS:
        yield after, max(after, until), lead
        return
    counted = compose(statement("reports/counted_blocks"), Slice(after, until + lead, lead))
    blocks = connection.exec_driver_sql(counted, {"length": PORTION_SECONDS}).scalars()
    reach = math.ceil(lead / PORTION_SECONDS)
    near = {block + ahead for block in blocks for ahead in range(-reach, reach + 1)}
    for start, stop in portions(after, until, PORTION_SECONDS, near) or [(after, after)]:
        yield start, stop, lead


def _alerts(connection: Connection, within: Span) -> str:
    """Alerts of the incidents that overlap the span; the span may lie in a pause between two of their alerts."""
    joined = connection.exec_driver_sql("select coalesce(max(reopen_seconds), 0) from settings").scalar_one()
    since, until = within.seconds()
    # A view takes no parameters.
    overlapping = statement("reports/alerts_of_span").replace("$since", timestamp_literal(since - joined - 1))
    return whole_incidents(overlapping.replace("$until", timestamp_literal(until)))


def _base_select(connection: Connection, name: str, within: Span) -> str:
    catalog = quoted_name(connection, connection.exec_driver_sql("select current_database()").scalar_one())
    select = f"select * from {catalog}.main.{quoted_name(connection, name)}"  # noqa: S608 names of the catalogue, quoted
    columns = _columns(connection, select)
    condition, loaded = within.holds(columns), within.holds({"loaded_at": "TIMESTAMP"})
    if condition is None and "batch_id" in columns and loaded is not None:
        condition = f"batch_id in (select batch_id from {catalog}.main.batches where {loaded})"  # noqa: S608
    return select if condition is None else f"{select} where {condition}"


def _columns(connection: Connection, select: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.exec_driver_sql(f"describe {select}")}


def _ceiling(value: datetime) -> int:
    return utc.second_of(value) + (value.microsecond > 0)


def _literal(value: datetime) -> str:
    return f"timestamp '{value.isoformat(sep=' ')}'"
