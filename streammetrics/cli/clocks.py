"""Checks the clock: a wrong one would commit half-written lines and expire new data.

It is compared with the last write to the store. More than a day after that it may be right, if nobody used the store:
then one of the files was written within a day of it, or the newest row of a database was. An application on the same
machine writes files by the same wrong clock: where retention would remove all that is stored, only a person confirms.
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
"""The end of the year 9999: a larger number is of milliseconds, or of less."""


def believed(session: Session, connection: Connection, paths: Iterable[Path] = ()) -> Session:
    """The session by a clock that never goes back behind what the store says: it stands still there.

    Where a person says that the clock is right, later times in the store are mended instead.

    Args:
        paths: what the job reads; without them the files that are configured.

    Raises:
        InputOutputError: the clock is more than a day ahead of the store, and no file or database agrees with it, or
            all that is stored is too old by it.
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
    kept_days = max((days for _, days in session.config.retention if days is not None), default=None)
    if kept_days is not None and ahead > max(DOUBTED, timedelta(days=kept_days)):
        reason = "[retention] would remove all that is stored"
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
            f"{words}: it stands still there, and nothing is removed; {remedy}", "clock.behind", logging.WARNING
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
    """The times, as epoch seconds, of the rows of a database that its cursor puts last; none where it tells none."""
    from streammetrics.sources.connections import connect
    from streammetrics.sources.cursor_state import Cursor, CursorState
    from streammetrics.sources.databases import Database

    # What is wrong with the database is reported where it is read.
    with suppress(StreammetricsError, OSError), connect(config, source) as (url, connection):
        database = Database(source, url, connection)
        last = CursorState(cast("Cursor | None", database.highest()), {})
        for rows in islice(database.rows(last), 1 if last.floor is not None else 0):
            yield from (second for record in rows.records if (second := _second_of(record.ts)) is not None)


def _second_of(text: str) -> float | None:
    """A time as databases give it: a number of seconds, or of parts of them, since 1970, or ISO; UTC without an offset.

    Within a day it does not matter which time zone it is of.
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
