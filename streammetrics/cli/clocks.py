"""Checks the clock: a wrong one would commit half-written lines as records, and let retention remove new data.

The clock is compared with the time at which the store was last written to. If it is more than a day ahead of that, as
after a week without use, a source must confirm it: a file that was written within a day of the clock, or the newest row
of a database. An application on the same machine writes files by the same wrong clock: where retention would remove all
counters, only a person confirms.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

from streammetrics.cli.session import Session
from streammetrics.config import Config, Source
from streammetrics.errors import InputOutputError, StreammetricsError
from streammetrics.runtime import terminal
from streammetrics.sources import discovery
from streammetrics.store.statements import run

DOUBTED = timedelta(days=1)
"""A clock that is further off than this needs `--accept-clock`."""

EARLIEST = datetime(2020, 1, 1)  # noqa: DTZ001 naive means UTC throughout
"""A clock before this was never set."""

_LATEST_SECOND = 253402300799
"""The end of the year 9999: a larger number is in milliseconds, or a smaller unit."""


def believed(session: Session, connection: Connection, paths: Iterable[Path] = ()) -> Session:
    """The session with a clock that is never earlier than the store's last time.

    With `--accept-clock`, later times in the store are corrected instead.

    Args:
        paths: what the job reads; without them the files that are configured.

    Raises:
        InputOutputError: the clock is more than a day ahead of the store, and no file or database confirms it, or
            retention would remove all counters.
    """
    now = session.clock()
    with connection.begin():
        last: datetime | None = run(connection, "jobs/last_written").scalar_one()
        if last is None or last < EARLIEST:
            return session
        if session.accept_clock and last > now:
            run(connection, "jobs/mend_batch_times", {"now": now})
            run(connection, "jobs/mend_run_times", {"now": now})
    if session.accept_clock:
        return session
    words = (
        f"the clock shows {terminal.moment(now)} UTC, and the store was last written to at {terminal.moment(last)} UTC"
    )
    remedy = "set the clock or, if it is right, run once with --accept-clock"
    ahead = now - last
    kept_days = session.config.retention.counters_days
    if kept_days is not None and ahead > timedelta(days=kept_days):
        reason = f"[retention] counters_days = {kept_days} would remove all of them"
        raise InputOutputError(f"{words}: nothing was read, judged or removed, because {reason}; {remedy}")
    if ahead > DOUBTED and not _is_confirmed(session, list(paths), now):
        raise InputOutputError(
            f"{words}: nothing was read, judged or removed, because half-written lines would count, and [retention] "
            f"would remove new data; {remedy}; a file of a [[source]] that was written within a day of the clock "
            "confirms it as well, and so does the newest row of a database"
        )
    if now >= last:
        return session
    is_behind = last - now > DOUBTED
    if is_behind:
        session.say(
            f"{words}: the store's last time is used, and nothing is removed; {remedy}", "clock.behind", logging.WARNING
        )
    return replace(session, clock=lambda: max(session.clock(), last), is_clock_doubted=is_behind)


def _is_confirmed(session: Session, paths: list[Path], now: datetime) -> bool:
    """Whether a file that may be read was written within a day of the clock, or the newest row of a database was."""
    wanted = [one for path in paths for one in discovery.expand(path)]
    if not paths:
        wanted = [file.path for file in discovery.configured(session.config)[0]]
    moment, reach = now.replace(tzinfo=UTC).timestamp(), DOUBTED.total_seconds()
    if any(abs(moment - path.stat().st_mtime) <= reach for path in wanted if path.is_file()):
        return True
    databases = [] if paths else [source for source in session.config.source if source.url is not None]
    return any(abs(moment - second) <= reach for source in databases for second in _newest(session.config, source))


def _newest(config: Config, source: Source) -> Iterator[float]:
    """The times, as epoch seconds, of the rows with the highest cursor; none if the database cannot be read."""
    from streammetrics.sources.connections import connect
    from streammetrics.sources.cursor_state import Cursor, CursorState
    from streammetrics.sources.databases import Database

    # Errors of the database are reported when it is read.
    with suppress(StreammetricsError, OSError), connect(config, source) as (url, connection):
        database = Database(source, url, connection)
        last = CursorState(cast("Cursor | None", database.highest()), {})
        for rows in islice(database.rows(last), 1 if last.floor is not None else 0):
            yield from (second for record in rows.records if (second := _second_of(record.ts)) is not None)


def _second_of(text: str) -> float | None:
    """A time of a database: seconds since 1970 or a smaller unit, or ISO; UTC if it has no offset.

    The time zone does not matter, because a day's difference is allowed.
    """
    try:
        number = float(text)
        while number > _LATEST_SECOND:
            number /= 1000
        return number
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
