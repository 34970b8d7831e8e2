"""Whether the clock is believed. One that was set wrong makes half lines records, and old what is not.

It is held against when the store was last written to. More than a day after that it may be right, as of a store that
nobody used: then the files agree, of which one was written within a day of it.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from streammetrics import narrate
from streammetrics.errors import InputOutputError
from streammetrics.session import Session
from streammetrics.sources import files
from streammetrics.statements import run

DOUBTED = timedelta(days=1)
"""A clock that is further off than this is asked about."""

EARLIEST = datetime(2020, 1, 1)  # noqa: DTZ001 naive means UTC throughout
"""A clock before this was never set."""


def believed(session: Session, connection: Connection, paths: Iterable[Path] = ()) -> Session:
    """The session by a clock that never goes back behind what the store says: it stands still there.

    Where a person says that the clock is right, later times in the store are mended instead.

    Args:
        paths: what the job reads; without them the files that are configured.

    Raises:
        InputOutputError: the clock is more than a day ahead of the store, and no file agrees with it.
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
    words = f"the clock says {narrate.moment(now)} UTC, and the store was last written to at {narrate.moment(last)} UTC"
    remedy = "set the clock or, if it is right, run once with --accept-clock"
    if now - last > DOUBTED and not _is_confirmed(session, list(paths), now):
        raise InputOutputError(
            f"{words}: nothing was read, judged or removed, for a clock that is ahead would make old what is not; "
            f"{remedy}; a file of a [[source]] that was written within a day of the clock confirms it as well"
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
    """Whether a file that may be read was written within a day of the clock."""
    wanted = [one for path in paths for one in files.expand(path)]
    if not paths:
        wanted = [file.path for file in files.configured(session.config)[0]]
    moment, reach = now.replace(tzinfo=UTC).timestamp(), DOUBTED.total_seconds()
    return any(abs(moment - path.stat().st_mtime) <= reach for path in wanted if path.is_file())
