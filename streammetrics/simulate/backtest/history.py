"""A scratch store with what the configured one holds of a span, to judge and to change at will."""

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
from streammetrics.store.views import timestamp_literal

_ENDS = "select min(first_second), max(last_second) from builds"

_COUNTERS = """
copy (select second, build, code, errors from counters where second >= {since} and second < {until}) to {path}
(format parquet)
"""

_LOAD = "insert into counters select second, build, code, errors, 0 as batch_id from read_parquet($path)"

_SMALL = ("builds", "build_hours", "codes", "pruned")

_HAS_RECORDS = "select count(*) > 0 from counters where second >= {since} and second < {until}"


@dataclass(frozen=True)
class Span:
    """The bins that end in (after, until], epoch seconds."""

    after: int
    until: int

    @property
    def since_ts(self) -> datetime:
        return utc.at_second(self.after)

    @property
    def until_ts(self) -> datetime:
        return utc.at_second(self.until)

    @property
    def bounds(self) -> tuple[int, int]:
        return self.after, self.until


@contextmanager
def copied(
    store: Store, config: Config, since: datetime | None, until: datetime | None
) -> Iterator[tuple[Connection, Span]]:
    """Copy what judging the span reads of the store into a scratch store; the span, and a connection that may write.

    Args:
        since, until: naive UTC; without `until` the span ends with the records, without `since` it is a day.

    Raises:
        UsageError: the span is empty, or the store has no record in it.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="streammetrics-backtest-") as name:
        folder = Path(name)
        with store.read() as connection:
            span = _span(connection, since, until)
            _copy(connection, span, passes.lead_seconds(config), folder)
        scratch = Store(folder / "scratch.duckdb", memory_limit=config.store.memory_limit)
        with scratch.write() as connection:
            with connection.begin():
                connection.exec_driver_sql(_LOAD, {"path": str(folder / "counters.parquet")})
                for table in _SMALL:
                    path = str(folder / f"{table}.parquet")
                    connection.exec_driver_sql(f"insert into {table} from read_parquet($path)", {"path": path})
            yield connection, span


def _span(connection: Connection, since: datetime | None, until: datetime | None) -> Span:
    first, last = connection.exec_driver_sql(_ENDS).one()
    if first is None:
        raise UsageError("the store holds no records yet; `streammetrics ingest` reads some")
    # Nothing is judged behind the last record: days without any would only take their time.
    end = last + timedelta(seconds=1)
    until = min(until, end) if until and (since or first) < end else until or end
    if since is not None and since >= until:
        raise UsageError(f"--since {since} is not before --until {until}: nothing lies between")
    since = since or (until if until <= first else until - timedelta(days=1))
    span = Span(utc.second_of(since), utc.second_of(until))
    ends = {"since": timestamp_literal(span.after), "until": timestamp_literal(span.until)}
    if not connection.exec_driver_sql(_HAS_RECORDS.format(**ends)).scalar_one():
        raise UsageError(
            f"no records lie between --since {moment(since)} and --until {moment(until)}; "
            f"those of the store lie between {moment(first)} and {moment(last)}"
        )
    return span


def _copy(connection: Connection, span: Span, lead_seconds: int, folder: Path) -> None:
    """With all that a pass reads before and behind the span; as files, so that the store is free again at once."""
    since = span.after - lead_seconds - views.PRESENCE_LEAD_SECONDS - max(views.lags(connection), default=0)
    until = span.until + views.PRESENCE_LAG_SECONDS
    ends = {"since": timestamp_literal(since), "until": timestamp_literal(until)}
    connection.exec_driver_sql(_COUNTERS.format(path=_literal(folder / "counters.parquet"), **ends))
    for table in _SMALL:
        connection.exec_driver_sql(f"copy {table} to {_literal(folder / f'{table}.parquet')} (format parquet)")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
