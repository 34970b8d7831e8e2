"""What there is to report of a store, and the questions that find it out.

Nothing here reads all records: the ledger, the passes and the builds are small, and of the alerts only those are read
whose codes have had one lately. A row has the columns of its statement in sql/reports/; times are naive UTC.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.config.rules import BLOCK_SECONDS, ESTIMATE_SECONDS, LOOK_BACK_BLOCKS
from streammetrics.errors import StreammetricsError
from streammetrics.report import warnings
from streammetrics.runtime import utc
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.sources import discovery, exposure, ledger
from streammetrics.store.connection import Store
from streammetrics.store.statements import run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, Slice, alerts_of_open_incidents, compose, lags

if TYPE_CHECKING:
    from streammetrics.query.publish import Published

Row = Mapping[str, Any]

STRONGEST = 3
"""So many incidents of a rule, and so many comparisons, fit into a line."""

EXPOSURE_HOURS = 3

_REACHES = "select baseline, candidate, min(rate_ratio) as rate_ratio from reaches group by all"


@dataclass(frozen=True)
class Status:
    """How things stand at `now`.

    Args:
        contents: what `contents` finds; None where there is no store yet.
        feeds: of each source that has sent records, its newest record, when that was loaded, and whether it is silent.
        waiting_bytes: those on disk that were not read yet.
        refused: why files and databases are not read, a message for each.
        unmatched: sources without a file, a sentence each.
        published: the file of [publish]; None where none is wanted.
    """

    now: datetime
    store: Path
    store_bytes: int
    contents: Row | None
    feeds: Sequence[Row] = ()
    waiting_files: int = 0
    waiting_bytes: int = 0
    refused: Sequence[str] = ()
    unmatched: Sequence[str] = ()
    published: "Published | None" = None


def collect(store: Store, config: Config, now: datetime) -> Status:
    """Find out how things stand at `now` (naive UTC).

    Raises:
        StoreBusyError, InputOutputError: there is a store, but it cannot be read.
    """
    # `run` imports this module, and writes no status.
    from streammetrics.query import publish

    found, refused = discovery.configured(config)
    unmatched = tuple(_unmatched(config, {file.source.name for file in found}))
    waiting_bytes, size, held, received = sum(file.size for file in found), 0, None, list[Row]()
    if store.path.exists():
        with store.read() as connection:
            held, size = contents(connection, config, now), store.path.stat().st_size
            # What can be seen without reading is not of the last run, but of now.
            refused = {**ledger.refused(connection, config), **refused}
            connection.rollback()  # the ledger begins a transaction of its own
            known = ledger.known(connection, config, found)
            found = [file for file in found if file.path not in known and file.path not in refused]
            waiting_bytes = ledger.unread_bytes(connection, found)
            received = feeds(connection, config, {file.source.name for file in found}, now)
    waiting = len(found), waiting_bytes, tuple(refused.values()), unmatched
    return Status(now, store.path, size, held, received, *waiting, publish.last(config))


def contents(connection: Connection, config: Config, now: datetime) -> Row:
    """What the store holds."""
    users = exposure.read(config)
    compared = comparisons(connection, is_unread=not users.is_whole)
    incidents = compose(statement("reports/open_incidents"), alerts=alerts_of_open_incidents())
    of_last_day = {"since": now - timedelta(days=1)}
    return {
        **_one(connection, "reports/history"),
        **_one(connection, "reports/recent_rejects", **of_last_day),
        **_one(connection, "reports/late_records", **of_last_day),
        **_one(connection, "reports/replaced_files", **of_last_day),
        **_ahead(connection, now),
        "families": _rows(run(connection, "reports/families", {"most": STRONGEST})),
        "last_pass": _one(connection, "reports/last_pass", is_failed=False) or None,
        "last_failure": _one(connection, "reports/last_pass", is_failed=True) or None,
        "open_incidents": _rows(connection.exec_driver_sql(incidents, {"most": STRONGEST})),
        "comparisons": compared,
        "reaches": reaches(connection, compared),
        "promises": _rows(connection.exec_driver_sql(compose(statement("reports/promises")))),
        "exposures": _exposures(connection),
        "advice": warnings.current(connection, has_exposure=users.is_whole, problems=users.problems),
        "marks": _rows(run(connection, "reports/cursor_marks")),
    }


def feeds(connection: Connection, config: Config, waiting: Collection[str], now: datetime) -> list[Row]:
    """The newest record of each source and when it was loaded, silent ones first.

    A source is silent that has brought no newer record for `silent_after_seconds`, unless it is `waiting` to be read.
    """
    limits = {source.name: timedelta(seconds=source.silent_after_seconds) for source in config.source}
    found = _rows(run(connection, "reports/feeds", {"sources": list(limits)}))
    for row in found:
        source = row["source"]
        row["is_silent"] = source not in waiting and now - row["loaded_at"] > limits[source]
    return sorted(found, key=lambda row: not row["is_silent"])


def comparisons(connection: Connection, *, is_unread: bool = False) -> list[Row]:
    """The pairs that are compared now, those that wait for a build behind others, then those that have no place.

    Args:
        is_unread: a file that tells the users of builds cannot be read now.
    """
    return _rows(connection.exec_driver_sql(compose(statement("reports/judged")), {"is_unread": is_unread}))


def reaches(connection: Connection, compared: Iterable[Row]) -> list[Row]:
    """Of comparisons that are judged for less than a day, the least ratio of the grid that would have been found.

    `rate_ratio` is None where none would. Without a rule `sequential` there are no rows. It reads as much as a pass
    that judges the same time.
    """
    widest, history_seconds = run(connection, "reports/reach_widths").one()
    young = [
        row for row in compared if not row["is_displaced"] and row["judged_until"] and _is_young(row["judged_seconds"])
    ]
    if widest is None or not young:
        return []
    ends = [utc.second_of(row["judged_until"]) for row in young]
    begin = min(end - row["judged_seconds"] for end, row in zip(ends, young, strict=True))
    lead = LOOK_BACK_BLOCKS * max(BLOCK_SECONDS, widest) + ESTIMATE_SECONDS + BLOCK_SECONDS + 2 * widest
    piece = Slice(max(begin - widest, max(ends) - history_seconds), max(ends), lead, lags=lags(connection))
    found = connection.exec_driver_sql(compose(_REACHES, piece))
    ratios = {(baseline, candidate): ratio for baseline, candidate, ratio in found}
    return [
        {
            **{name: row[name] for name in ("baseline", "candidate", "judged_seconds")},
            "rate_ratio": ratios.get((row["baseline"], row["candidate"])),
        }
        for row in young
    ]


def _is_young(judged_seconds: int | None) -> bool:
    return 0 < (judged_seconds or 0) < DAY_SECONDS


def _ahead(connection: Connection, now: datetime) -> Row:
    """The files of the last day whose records are ahead of the clock, and the last batch of them."""
    found = warnings.ahead(connection, since=now - timedelta(days=1))
    last = found[-1] if found else None
    paths = {row.path for row in found}
    return {"ahead_files": len(paths), "ahead_path": last and last.path, "ahead_batch_id": last and last.batch_id}


def _exposures(connection: Connection) -> list[Row]:
    latest = warnings.latest_complete(connection)
    if latest is None:
        return []
    since = latest - EXPOSURE_HOURS * 3600
    piece = Slice(since, latest, EXPOSURE_LEAD_SECONDS, lags=lags(connection))
    return _rows(connection.exec_driver_sql(compose(statement("reports/exposures"), piece), {"since": since}))


def _unmatched(config: Config, matched: Collection[str]) -> Iterator[str]:
    """The sources that no file matches; a spool is empty most of the time."""
    for source in config.source:
        if source.path is None or source.after != "keep" or source.name in matched:
            continue
        # What is wrong with the path itself is refused.
        with suppress(StreammetricsError):
            if not discovery.matching(Path(source.path), config):
                yield f"[[source]] {source.name!r}: no file matches {config.resolve(source.path)}"


def _one(connection: Connection, name: str, **parameters: object) -> dict[str, Any]:
    """The only row of a report; empty where there is none."""
    return dict(run(connection, name, parameters).mappings().one_or_none() or {})


def _rows(found: Any) -> list[Any]:
    return [dict(row) for row in found.mappings()]
