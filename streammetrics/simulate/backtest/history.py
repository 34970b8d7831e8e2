"""A scratch store with a copy of a span of the configured store, which may be changed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.detect import passes
from streammetrics.errors import UsageError
from streammetrics.runtime import utc
from streammetrics.runtime.terminal import moment
from streammetrics.store import views
from streammetrics.store.connection import Store
from streammetrics.store.views import Slice, compose

_TABLES = ("builds", "build_hours", "codes", "pruned")


@dataclass(frozen=True)
class Copy:
    """The bins that end in (after, until], epoch seconds; judging them reads the seconds [from_second, to_second)."""

    after: int
    until: int
    from_second: int
    to_second: int


@contextmanager
def copied(
    store: Store, config: Config, since: datetime | None, until: datetime | None
) -> Iterator[tuple[Connection, Copy]]:
    """Copy what is needed to judge the span into a scratch store; returns a writing connection, and the span.

    Args:
        since, until: naive UTC; without `until` the span ends with the records, without `since` it is a day.

    Raises:
        UsageError: the span is empty, or the store has no record in it.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="streammetrics-backtest-") as folder:
        paths = {table: str(Path(folder, f"{table}.parquet")) for table in ("counters", *_TABLES)}
        with store.read() as connection:
            after, end = _span(connection, since, until)
            lead = passes.lead_seconds(config) + views.PRESENCE_LEAD_SECONDS
            copy = Copy(after, end, after - lead, end + views.PRESENCE_LAG_SECONDS)
            # Copy through files, so that the store is free at once.
            lag = max(views.lags(connection), default=0)
            counters = compose(
                "select * replace (0 as batch_id) from counters", Slice(after, copy.to_second, lead + lag)
            )
            selects = {"counters": counters} | {table: f"from {table}" for table in _TABLES}
            for table, select in selects.items():
                connection.exec_driver_sql(f"copy ({select}) to $path (format parquet)", {"path": paths[table]})
        scratch = Store(Path(folder, "scratch.duckdb"), memory_limit=config.store.memory_limit)
        with scratch.write() as connection:
            with connection.begin():
                for table, path in paths.items():
                    connection.exec_driver_sql(f"insert into {table} from read_parquet($path)", {"path": path})
            yield connection, copy


def _span(connection: Connection, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The span (after, until], epoch seconds."""
    first, last = connection.exec_driver_sql("select min(first_second), max(last_second) from builds").one()
    if first is None:
        raise UsageError("the store holds no records yet; `streammetrics ingest` reads some")
    # Nothing is judged after the last record: empty days would only take time.
    end = last + timedelta(seconds=1)
    until = min(until, end) if until and (since or first) < end else until or end
    if since is not None and since >= until:
        raise UsageError(f"--since {since} is not before --until {until}: nothing lies between")
    since = since or (until if until <= first else until - timedelta(days=1))
    span = utc.second_of(since), utc.second_of(until)
    if not connection.exec_driver_sql(compose("select count(*) from counters", Slice(*span, 0))).scalar_one():
        raise UsageError(
            f"no records lie between --since {moment(since)} and --until {moment(until)}; "
            f"those of the store lie between {moment(first)} and {moment(last)}"
        )
    return span
