"""Writes a DuckDB file of plain tables for other programs, which may keep it open while jobs run.

Each file is written beside the former one and renamed over it: a program that has the former file open continues to
read it. Tables are copied completely, which is cheap. `bins` takes long to compute, so it is copied from the former
file, except for the time in which bins may have changed since.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.errors import ConfigError, InputOutputError
from streammetrics.query import time_range
from streammetrics.query.export import replacing
from streammetrics.query.time_range import Span
from streammetrics.runtime import atomic_files, utc
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.store.attached import attached
from streammetrics.store.connection import Store, begins_as_store
from streammetrics.store.statements import quoted_name, run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, PORTION_SECONDS, portions

_RECORDS = ("counters", "counters_wide", "events")
_BINS = "bins"
_MARGIN_SECONDS = EXPOSURE_LEAD_SECONDS
"""How long after a record it changes the exposure of bins. Its other effects are found by what passes judged."""

Stretch = tuple[int, int]
"""The epoch seconds [from, until)."""


@dataclass(frozen=True)
class Published:
    """A published file: when it was written (naive UTC), how long that took (s), and its size.

    `reason`: why it cannot be read. Then, and if there is no file yet, the others are None.
    """

    path: Path
    published_at: datetime | None = None
    seconds: float | None = None
    size_bytes: int | None = None
    reason: str | None = None


def is_due(config: Config, now: datetime) -> bool:
    """Whether publishing is configured, and the file is older than `every_seconds` at `now` (naive UTC) or missing."""
    path = config.publish_path
    return path is not None and atomic_files.is_older(path, config.publish.every_seconds, now)


def last(config: Config) -> Published | None:
    """The published file; None if publishing is not configured."""
    path = config.publish_path
    if path is None or not path.exists():
        return None if path is None else Published(path)
    try:
        made = _made(path)
        return Published(path, made["published_at"], made["seconds"], path.stat().st_size)
    except (duckdb.Error, OSError) as error:
        return Published(path, reason=atomic_files.reason(error))


def publish(store: Store, config: Config, target: Path, clock: Callable[[], datetime]) -> None:
    """Write the published relations to `target`, atomically.

    A long history of `bins` is computed in portions, between which other processes can use the store.

    Raises:
        ConfigError: `[publish] relations` names what the store does not have.
        InputOutputError: the file cannot be written, holds anything but a DuckDB file, or the store cannot be read.
        StoreBusyError: another process held the store for too long.
    """
    if target.is_file() and target.stat().st_size and not begins_as_store(target):
        raise InputOutputError(f"{target}: is not a DuckDB file, so it is not replaced; set another [publish] path")
    started = time.perf_counter()
    waiting: list[Stretch] | None = None
    made: set[str] = set()
    with replacing(target) as unfinished:
        while waiting is None or waiting:
            with store.read() as connection, attached(connection, unfinished, "published", writable=True) as name:
                if waiting is None:
                    waiting = _write_tables(connection, config, name, target, made)
                if waiting:
                    _add(connection, name, _BINS, _span(*waiting.pop(0)), made)
                if not waiting:
                    ended = {"at": clock(), "seconds": time.perf_counter() - started}
                    sql = f"update {name}.published set published_at = $at, seconds = $seconds"  # noqa: S608
                    connection.exec_driver_sql(sql, ended)
        # Read-only, because a writer would leave a log beside it, which does not belong to the next file. The umask
        # applies.
        unfinished.chmod(unfinished.stat().st_mode & 0o444)


def _write_tables(connection: Connection, config: Config, name: str, target: Path, made: set[str]) -> list[Stretch]:
    """Write all relations but bins, and unchanged bins from the former file; returns the time spans of missing bins."""
    wanted, there = dict.fromkeys(config.publish.relations), time_range.names(connection)
    if unknown := sorted(set(wanted) - set(there)):
        raise ConfigError(
            f"[publish] relations: {unknown[0]!r}: there is no such table or view; there are: {', '.join(there)}"
        )
    first, until = run(connection, "reports/slice_bounds").one()
    since = max(first, until - config.publish.days * DAY_SECONDS)
    for relation in wanted:
        if relation != _BINS:
            is_cut = relation in _RECORDS or time_range.counts_records(relation)
            _add(connection, name, relation, _span(since, until) if is_cut else Span(), made)
    bounds = {"since": utc.at_second(since), "until": utc.at_second(until), "relations": " ".join(wanted)}
    made_from = statement("jobs/published_from")
    connection.exec_driver_sql(f"create table {name}.published as\n{made_from}", bounds)
    connection.commit()
    return _keep_bins(connection, name, target, (since, until), made) if _BINS in wanted else []


def _keep_bins(connection: Connection, name: str, target: Path, within: Stretch, made: set[str]) -> list[Stretch]:
    """Copy unchanged bins from the former file; returns the time spans of the others, in portions."""
    since, until = within
    former = _former(connection, name, target)
    changed = [within]
    if former is not None:
        behind = {"run_id": former["run_id"], "batch_id": former["batch_id"], "margin": _MARGIN_SECONDS}
        changed = [(from_, until_) for from_, until_ in run(connection, "jobs/changed_stretches", behind)]
        # Times after the last published bin, or before the first.
        changed += [
            (utc.second_of(former["until_ts"]) - _MARGIN_SECONDS, until),
            (since, utc.second_of(former["since_ts"])),
        ]
        changed = _merged(changed, since, until)
        made.add(_BINS)
        with attached(connection, target, "former") as kept:
            connection.exec_driver_sql(f"create or replace temp view former_bins as from {kept}.{_BINS}")
            bounds = {"since": since, "until": until, "changed": [list(stretch) for stretch in changed]}
            unchanged = statement("jobs/unchanged_bins")
            connection.exec_driver_sql(f"create table {name}.{_BINS} as\n{unchanged}", bounds)
    return [
        piece
        for start, stop in changed
        for piece in (portions(start, stop, PORTION_SECONDS) if stop - start > PORTION_SECONDS else [(start, stop)])
    ]


def _former(connection: Connection, name: str, target: Path) -> Mapping[str, Any] | None:
    """The row `published` of the former file, if its bins are from this store, and the same rules and SQL."""
    try:
        former = _made(target)
    except (duckdb.Error, OSError):
        # There is no former file, or it cannot be read.
        return None
    basis = connection.exec_driver_sql(f"select basis from {name}.published").scalar_one()  # noqa: S608 our name
    past = "select count(*) from runs where run_id = $run_id and finished_at = $run_finished_at"
    is_ours = connection.exec_driver_sql(past, {key: former.get(key) for key in ("run_id", "run_finished_at")})
    return former if former.get("basis") == basis and is_ours.scalar_one() else None


def _made(path: Path) -> Mapping[str, Any]:
    """The row of table `published`.

    Raises:
        duckdb.Error, OSError: it cannot be read.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("from published")
        names = [column[0] for column in found.description or ()]
        return dict(zip(names, found.fetchone() or (), strict=True))


def _merged(stretches: list[Stretch], since: int, until: int) -> list[Stretch]:
    """The time spans within [since, until), sorted and merged."""
    merged: list[Stretch] = []
    for start, stop in sorted((max(start, since), min(stop, until)) for start, stop in stretches):
        if start >= stop:
            continue
        if merged and start <= merged[-1][1]:
            start, stop = merged[-1][0], max(stop, merged.pop()[1])
        merged.append((start, stop))
    return merged


def _add(connection: Connection, name: str, relation: str, within: Span, made: set[str]) -> None:
    """Add a relation's rows of the span to its table of the published file; the table is created if not in `made`."""
    table = f"{name}.{quoted_name(connection, relation)}"
    for select in time_range.selects(connection, relation, within):
        connection.exec_driver_sql(
            f"insert into {table}\n{select}" if relation in made else f"create table {table} as\n{select}"
        )
        made.add(relation)
        # DuckDB 1.5 loses rows that a transaction inserts into a table after an insert of no rows.
        connection.commit()


def _span(since: int, until: int) -> Span:
    return Span(utc.at_second(since), utc.at_second(until))
