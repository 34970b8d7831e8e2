"""Reads what `status` reports from the store.

It never reads all records: the ledger, the passes and the builds are small, and only alerts of codes with a recent
alert are read.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult

from streammetrics.config import Config
from streammetrics.config.rules import BLOCK_SECONDS, LOOK_BACK_BLOCKS
from streammetrics.errors import StreammetricsError
from streammetrics.report import warnings
from streammetrics.report.status.models import (
    Compared,
    Contents,
    EndedJob,
    FailingChannel,
    Family,
    Feed,
    Mark,
    OpenIncident,
    OpenQuote,
    Pass,
    Promise,
    Reach,
    Share,
    Status,
)
from streammetrics.runtime import utc
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.sources import discovery, exposure, ledger, tail
from streammetrics.sources.snapshot import LONGEST_QUOTED_BYTES
from streammetrics.store.connection import Store
from streammetrics.store.statements import run, statement
from streammetrics.store.views import (
    EXPOSURE_LEAD_SECONDS,
    Slice,
    alerts_of_open_incidents,
    compose,
    lags,
    relations,
)

STRONGEST = 3
"""Most incidents of a rule, and most comparisons, that a line lists."""

EXPOSURE_HOURS = 3

_REACHES = "select baseline, candidate, min(rate_ratio) as rate_ratio from reaches group by all"


def collect(store: Store, config: Config, now: datetime, *, has_reaches: bool = True) -> Status:
    """Read the status at `now` (naive UTC), without reaches, which take as long as everything else.

    Raises:
        StoreBusyError, InputOutputError: there is a store, but it cannot be read.
    """
    # Imported late: `run` imports this module but writes no status.
    from streammetrics.query import publish

    found, refused = discovery.configured(config)
    unmatched = tuple(_unmatched(config, {file.source.name for file in found}))
    waiting_bytes, size, held, received = sum(file.size for file in found), 0, None, list[Feed]()
    quotes: tuple[OpenQuote, ...] = ()
    if store.path.exists():
        with store.read() as connection:
            held, size = contents(connection, config, now, has_reaches), store.path.stat().st_size
            # What can be checked without reading records is checked now, not taken from the last run.
            refused = {**ledger.refused(connection, config), **refused}
            connection.rollback()  # the ledger begins a transaction of its own
            known = ledger.known(connection, config, found)
            found = [file for file in found if file.path not in known and file.path not in refused]
            unread = ledger.unread_bytes(connection, found)
            waiting_bytes = sum(unread.values())
            # A file that was never read waits for a run. After 64 KiB an open quote no longer holds back lines.
            begun = [file for file in found if unread[file.path] < min(file.size, 2 * LONGEST_QUOTED_BYTES)]
            opened = tail.open_quotes(connection, config, begun, now)
            quotes = tuple(OpenQuote(*one) for one in islice(opened, STRONGEST))
            received = feeds(connection, config, {file.source.name for file in found}, now)
    return Status(
        now,
        store.path,
        size,
        held,
        received,
        len(found),
        waiting_bytes,
        tuple(refused.values()),
        unmatched,
        quotes,
        config.mute,
        publish.last(config),
    )


def contents(connection: Connection, config: Config, now: datetime, has_reaches: bool) -> Contents:
    """What the store holds."""
    users = exposure.read(config)
    compared = comparisons(connection, is_unread=not users.is_whole)
    incidents = compose(statement("reports/open_incidents"), alerts=alerts_of_open_incidents())
    of_last_day = {"since": now - timedelta(days=1)}
    return Contents(
        **_only(run(connection, "reports/history")),
        **_only(run(connection, "reports/recent_rejects", of_last_day)),
        **_only(run(connection, "reports/late_records", of_last_day)),
        **_only(run(connection, "reports/replaced_files", of_last_day)),
        **_ahead(connection, now),
        families=[Family(*row) for row in run(connection, "reports/families", {"most": STRONGEST})],
        last_pass=_pass(connection, is_failed=False),
        last_failure=_pass(connection, is_failed=True),
        open_incidents=[OpenIncident(*row) for row in connection.exec_driver_sql(incidents, {"most": STRONGEST})],
        comparisons=compared,
        reaches=reaches(connection, compared) if has_reaches else (),
        promises=[Promise(*row) for row in connection.exec_driver_sql(compose(statement("reports/promises")))],
        exposures=_exposures(connection),
        advice=warnings.current(connection, has_exposure=users.is_whole, problems=users.problems),
        marks=[Mark(*row) for row in run(connection, "reports/cursor_marks")],
        failing_channels=[FailingChannel(*row) for row in run(connection, "reports/failing_channels")],
        jobs=[EndedJob(*row) for row in run(connection, "reports/ended_jobs")],
    )


def feeds(connection: Connection, config: Config, waiting: Collection[str], now: datetime) -> list[Feed]:
    """The newest record of each source and when it was loaded, silent ones first.

    A source is silent if it brought no newer record for `silent_after_seconds`, unless it is `waiting` to be read.
    """
    limits = {source.name: timedelta(seconds=source.silent_after_seconds) for source in config.source}
    found = [
        Feed(source, last_ts, loaded_at, source not in waiting and now - loaded_at > limits[source])
        for source, last_ts, loaded_at in run(connection, "reports/feeds", {"sources": list(limits)})
    ]
    return sorted(found, key=lambda feed: not feed.is_silent)


def comparisons(connection: Connection, *, is_unread: bool = False) -> list[Compared]:
    """The pairs that are compared now; those that wait for a build come after the others, those without a place last.

    Args:
        is_unread: a file of [[exposure]] cannot be read now.
    """
    found = connection.exec_driver_sql(compose(statement("reports/judged")), {"is_unread": is_unread})
    return [Compared(*row) for row in found]


def reaches(connection: Connection, compared: Iterable[Compared]) -> list[Reach]:
    """For comparisons judged for less than a day: the least ratio of the grid that would have been found.

    `rate_ratio` is None if no ratio would have been found. Without a rule `sequential` there are no rows. It reads as
    much as a pass over the same time.
    """
    young = [pair for pair in compared if not pair.is_displaced and (pair.judged_seconds or 0) < DAY_SECONDS]
    if (piece := reach_slice(connection, young)) is None:
        return []
    found = connection.exec_driver_sql(of_reaches(_REACHES, piece))
    ratios = {(baseline, candidate): ratio for baseline, candidate, ratio in found}
    return [
        Reach(pair.baseline, pair.candidate, pair.judged_seconds, ratios.get((pair.baseline, pair.candidate)))
        for pair in young
        if pair.judged_until and pair.judged_seconds and pair.judged_seconds > 0
    ]


def reach_slice(connection: Connection, compared: Iterable[Compared]) -> Slice | None:
    """The slice of time from which reaches of comparisons are computed; None if there is none."""
    widest, history_seconds = run(connection, "reports/reach_widths").one()
    ends = [
        (utc.second_of(pair.judged_until), pair.judged_seconds)
        for pair in compared
        if pair.judged_until and pair.judged_seconds and pair.judged_seconds > 0
    ]
    if widest is None or not ends:
        return None
    begin, last = min(end - seconds for end, seconds in ends), max(end for end, _ in ends)
    lead = LOOK_BACK_BLOCKS * max(BLOCK_SECONDS, widest) + EXPOSURE_LEAD_SECONDS + 2 * widest
    return Slice(max(begin - widest, last - history_seconds), last, lead, lags=lags(connection))


def of_reaches(final: str, piece: Slice) -> str:
    """A query over `reaches` or `code_reaches` of a slice, without the gains of its lead-in, which are not needed."""
    bins = f"select * from bins where bin_second + bin_seconds > {piece.after:d}"  # noqa: S608 a number
    gains = f"with bins as (\n{bins}\n)\nselect * from (\n{relations()['gains'].text}\n)"
    return compose(final, piece, gains=gains)


def _ahead(connection: Connection, now: datetime) -> dict[str, Any]:
    """The files of the last day with records ahead of the clock, and the last batch of them."""
    found = warnings.ahead(connection, since=now - timedelta(days=1))
    last = found[-1] if found else None
    paths = {row.path for row in found}
    return {"ahead_files": len(paths), "ahead_path": last and last.path, "ahead_batch_id": last and last.batch_id}


def _exposures(connection: Connection) -> list[Share]:
    latest = warnings.latest_complete(connection)
    if latest is None:
        return []
    since = latest - EXPOSURE_HOURS * 3600
    piece = Slice(since, latest, EXPOSURE_LEAD_SECONDS, lags=lags(connection))
    found = connection.exec_driver_sql(compose(statement("reports/exposures"), piece), {"since": since})
    return [Share(*row) for row in found]


def _unmatched(config: Config, matched: Collection[str]) -> Iterator[str]:
    """The sources that no file matches, except spools, which are often empty."""
    for source in config.source:
        if source.path is None or source.after != "keep" or source.name in matched:
            continue
        # An error of the path itself is listed under refused.
        with suppress(StreammetricsError):
            if not discovery.matching(Path(source.path), config):
                yield discovery.unmatched(source, config.resolve(source.path))


def _pass(connection: Connection, *, is_failed: bool) -> Pass | None:
    row = run(connection, "reports/last_pass", {"is_failed": is_failed}).one_or_none()
    return None if row is None else Pass(*row)


def _only(found: CursorResult[*tuple[Any, ...]]) -> dict[str, Any]:
    """The only row of a report."""
    return dict(found.mappings().one())
