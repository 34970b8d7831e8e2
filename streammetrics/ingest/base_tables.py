"""Inserts records into the base tables, in the caller's transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from streammetrics.ingest import counters_wide
from streammetrics.ingest.batch import Batch, Tally, execute
from streammetrics.sources.delimited import HEADER
from streammetrics.sources.reader import Reader
from streammetrics.sources.times import typed
from streammetrics.store import builds
from streammetrics.store.statements import run, statement

AHEAD_SECONDS = (300, 86_400)
"""If all records are this far ahead of the clock (from, to), the time zone is suspected, not the clients' clocks."""

_PORTION_RECORDS = 3_000_000
"""Records are counted in groups of this size: it bounds memory for files of any size, and fits the CPU cache."""


class MisreadError(Exception):
    """DuckDB's own reader and the line reader disagree: the caller must roll back what was inserted."""


def insert_large(connection: Connection, reader: Reader, batch: Batch) -> int:
    """Insert the accepted records of a file of any size; the temporary table `staged` keeps its rejects.

    Plain records are inserted first, by the fastest reader; only the others are read with their line numbers.

    Returns:
        How many records were inserted.

    Raises:
        MisreadError: the file must be read without `plain`.
    """
    inserted, rows = 0, reader.rows
    reader = _in_order(connection, reader, batch)
    # DuckDB 1.5 loses what a transaction inserts into a table after a statement that inserted no rows into it.
    if reader.plain and _run(connection, reader, batch, reader.plain, "select true from plain where is_plain limit 1"):
        inserted = _add_plain_events(connection, reader, batch)
        if left := rows - inserted:
            if _keep_unlike(connection, reader, batch) != left and _keep_others(connection, reader, batch) != left:
                raise MisreadError
            stage(connection, _of_others(reader), batch)
            inserted += _add_staged_events(connection, batch)
        return inserted
    fast = reader if batch.has_order else replace(reader, numbered=reader.found)
    if _typed(connection, fast, batch, "select true from typed where problem is null limit 1"):
        inserted = _typed(connection, fast, batch, statement("jobs/add_events"))
    if inserted != rows:
        stage(connection, reader, batch, is_counted=True)
    return inserted


def insert_small(connection: Connection, reader: Reader, batch: Batch, reread: Callable[[], Reader | None]) -> None:
    """Insert the accepted records of small files, and their rejects.

    Args:
        reread: once the records are staged, returns the reader that must be used instead, if any.
    """
    others, plain, is_plain = reader.rows, reader, False
    if reader.plain:
        divided = statement("jobs/divided_lines")
        _run(connection, reader, batch, reader.others, divided, "create or replace temp table divided as")
        plain = replace(reader, plain={"plain": "from divided"}, others={"plain": "from divided"})
        others = _keep_others(connection, plain, batch)
        is_plain = others != reader.rows
    if others:
        stage(connection, _of_others(reader) if is_plain else reader, batch)
        while (found := reread()) is not None:
            is_plain = False
            stage(connection, found, batch)
    if is_plain:
        _add_plain_events(connection, plain, batch)
    if others:
        add_staged(connection, batch)


def _add_plain_events(connection: Connection, reader: Reader, batch: Batch) -> int:
    typed = {"records": statement("jobs/counted_plain_records"), "typed": statement("jobs/stratified_records")}
    return _run(connection, reader, batch, {**reader.plain, **typed}, statement("jobs/add_events"))


def _keep_unlike(connection: Connection, reader: Reader, batch: Batch) -> int:
    """Make `others` from `unlike`, if it has exactly as many rows as were not inserted."""
    if not reader.unlike:
        return 0
    return _run(connection, reader, batch, reader.unlike, "from unlike", "create or replace temp table others as")


def _keep_others(connection: Connection, reader: Reader, batch: Batch) -> int:
    kept = statement("jobs/other_lines" if "lines" in reader.found else "jobs/other_found")
    return _run(connection, reader, batch, reader.others, kept, "create or replace temp table others as")


def _of_others(reader: Reader) -> Reader:
    return replace(reader, numbered={list(reader.found)[-1]: "select * from others"})


def stage(connection: Connection, reader: Reader, batch: Batch, *, is_counted: bool = False) -> None:
    """Make the temporary table `staged` of the records of a reader, or of its rejects if the others are inserted."""
    counted = replace(reader, parameters={**reader.parameters, "is_counted": is_counted})
    _typed(connection, counted, batch, statement("jobs/stage_records"), "create or replace temp table staged as")


def add_staged(connection: Connection, batch: Batch) -> None:
    """Insert the records in `staged`: accepted ones as events, the others with line and reason as rejects."""
    _add_staged_events(connection, batch)
    add_rejects(connection, batch)


def _add_staged_events(connection: Connection, batch: Batch) -> int:
    if not connection.exec_driver_sql("select true from staged where problem is null limit 1").scalar():
        return 0
    return execute(connection, f"with typed as (from staged)\n{statement('jobs/add_events')}", batch.parameters)


def add_rejects(connection: Connection, batch: Batch) -> None:
    """Insert the rejects in `staged`."""
    execute(connection, statement("jobs/add_rejects"), batch.parameters)


def _run(
    connection: Connection, reader: Reader, batch: Batch, expressions: Mapping[str, str], text: str, create: str = ""
) -> int:
    parameters = {**batch.parameters, **reader.parameters}
    return execute(connection, f"{create}\nwith {_with(expressions)}\n{text}", parameters)


def _typed(connection: Connection, reader: Reader, batch: Batch, text: str, create: str = "") -> int:
    """Run a statement on `typed`, which is computed from the records of a reader."""
    reader = _in_order(connection, reader, batch)
    records = f"with {_with({**reader.numbered, **reader.records})}\n{statement('jobs/stratified_records')}"
    return _run(connection, reader, batch, {"records": records, **typed(has_order=batch.has_order)}, text, create)


def _in_order(connection: Connection, reader: Reader, batch: Batch) -> Reader:
    """Determine the latest known records before the first insert: later statements would find their own records."""
    if not batch.has_order or "after" in reader.parameters:
        return reader
    return replace(reader, parameters={**reader.parameters, "after": _latest(connection, batch)})


def _with(expressions: Mapping[str, str]) -> str:
    return ",\n".join(f"{name} as (\n{text}\n)" for name, text in expressions.items())


def _latest(connection: Connection, batch: Batch) -> list[datetime | None]:
    batch_ids = list(range(batch.batch_id, batch.last_id + 1))
    known_ids = [batch.continued.get(place, 0) for place in range(len(batch_ids))]
    found: list[datetime | None] = run(
        connection, "jobs/latest_records", {"batch_ids": batch_ids, "known_ids": known_ids}
    ).scalar_one()
    return found


def finish(
    connection: Connection, batch: Batch, elsewhere: Mapping[int, Tally] | None = None
) -> tuple[dict[int, Tally], str]:
    """Update everything derived from an inserted batch: counters, builds, and the wide view if its columns change.

    Args:
        elsewhere: the tallies of records that are not in `events`; their counters are inserted already.

    Returns:
        The tally of each batch, and a note about the wide view.
    """
    ids = (batch.batch_id, batch.last_id)
    if elsewhere is None:
        tallies = count(connection, *ids, batch.file.source.cursor)
    else:
        tallies = _tallies(connection, *ids)
        for batch_id, tally in elsewhere.items():
            tallies[batch_id] = tallies.get(batch_id, Tally()).with_records(tally)
    has_records = any(tally.records for tally in tallies.values())
    is_new = has_records and builds.update(connection, batch.batch_id)
    return tallies, counters_wide.publish(connection) if is_new else ""


def count(connection: Connection, batch_id: int, last_id: int, cursor: str | None = None) -> dict[int, Tally]:
    """Insert counters of the events of a range of batches; returns the tally of each batch.

    Args:
        cursor: the cursor column of a database; it names rejects instead of a line number.
    """
    ids = {"batch_id": batch_id, "last_id": last_id}
    first, last, records = run(connection, "jobs/batch_span", ids).one()
    if records:
        portions = {"portions": 1 + records // _PORTION_RECORDS, **ids}
        cuts = [cut for (cut,) in run(connection, "jobs/batch_cuts", portions)] if records > _PORTION_RECORDS else []
        for start, stop in pairwise([first, *cuts[1:], last + timedelta(seconds=1)]):
            half = start + (stop - start) / 2
            run(connection, "jobs/add_counters", {"from_ts": start, "half_ts": half, "until_ts": stop, **ids})
    return _tallies(connection, batch_id, last_id, cursor)


def _tallies(connection: Connection, batch_id: int, last_id: int, cursor: str | None = None) -> dict[int, Tally]:
    tallied = {"batch_id": batch_id, "last_id": last_id, "header": HEADER, "cursor": cursor}
    return {batch_id: Tally(*found) for batch_id, *found in run(connection, "jobs/batch_tallies", tallied)}
