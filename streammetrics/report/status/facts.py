"""What there is to tell of a store, and the questions that find it out.

Nothing here reads all records: the ledger, the passes and the builds are small, and of the alerts only those are read
whose codes have an open incident.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.report import warnings
from streammetrics.report.status.feeds import Feed
from streammetrics.report.status.reach import Comparison, Reach, comparisons, reaches
from streammetrics.sources import exposure
from streammetrics.store.statements import run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, Slice, compose, lags, whole_incidents

STRONGEST = 3
"""So many incidents of a rule, and so many comparisons, fit into a line."""

EXPOSURE_HOURS = 3


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Pass(_Part):
    """How a detection pass ended; times are naive UTC throughout."""

    finished_at: datetime
    state: str
    alerts_new: int
    alerts_revised: int
    alerts_retracted: int
    error: str | None


class Incident(_Part):
    """An open incident; `open` is how many its rule has."""

    rule: str
    code: str
    baseline: str
    candidate: str
    start_ts: datetime
    ratio: float | None
    ratio_low: float | None
    open: int


class Promise(_Part):
    """What a rule's setting means: one false incident of a code in so many days, and so many codes there are."""

    rule: str
    days_per_code: float
    codes: int


class Exposure(_Part):
    """The candidate's share of the users of both builds now and three hours ago, and how it is known.

    `is_rising`: it is estimated, and higher by what may be traffic or a regression of most codes.
    """

    baseline: str
    candidate: str
    exposure: str
    share: float
    former_share: float
    is_rising: bool


class Family(_Part):
    """The highest of `known` builds that are compared with each other, lower ones first.

    `unread` are those whose place is that of their first appearance; `builds_order` is the setting.
    """

    family: str
    builds: tuple[str, ...]
    known: int
    unread: tuple[str, ...] | None
    builds_order: str | None


class Mark(_Part):
    """Up to which value of its cursor a database was read."""

    source: str
    cursor: str
    mark: str


class Contents(_Part):
    """What the store holds."""

    first_ts: datetime | None
    last_ts: datetime | None
    records: int
    rejected: int
    batches: int
    families: tuple[Family, ...]
    last_pass: Pass | None
    last_failure: Pass | None
    open_incidents: tuple[Incident, ...]
    comparisons: tuple[Comparison, ...]
    reaches: tuple[Reach, ...]
    promises: tuple[Promise, ...]
    exposures: tuple[Exposure, ...]
    advice: tuple[str, ...]
    rejected_last_day: int
    late_last_day: int
    reject_reason: str | None
    marks: tuple[Mark, ...]
    replaced_files: int
    replaced_path: str | None
    ahead_files: int
    ahead_path: str | None
    ahead_batch_id: int | None


class Status(_Part):
    """`contents` is None where there is no store yet. `waiting_bytes` are those that were not read yet, on disk.

    `refused`: why files and databases are not read, a message for each; `unmatched`: sources without a file.
    """

    now: datetime
    store: Path
    store_bytes: int
    contents: Contents | None
    feeds: tuple[Feed, ...]
    waiting_files: int
    waiting_bytes: int
    refused: tuple[str, ...]
    unmatched: tuple[str, ...] = ()


def contents(connection: Connection, config: Config, now: datetime) -> Contents:
    """Ask the store."""
    tails = whole_incidents(statement("reports/latest_alerts"))
    opened = connection.exec_driver_sql(compose(statement("reports/open_incidents"), alerts=tails), {"most": STRONGEST})
    users = exposure.read(config)
    compared = comparisons(connection, is_unread=not users.is_whole)
    return Contents(
        **run(connection, "reports/history").mappings().one(),
        **run(connection, "reports/recent_rejects", {"since": now - timedelta(days=1)}).mappings().one(),
        **run(connection, "reports/late_records", {"since": now - timedelta(days=1)}).mappings().one(),
        **run(connection, "reports/replaced_files", {"since": now - timedelta(days=1)}).mappings().one(),
        **_ahead(connection, now),
        families=tuple(
            Family(**found) for found in run(connection, "reports/families", {"most": STRONGEST}).mappings()
        ),
        last_pass=_pass(connection, failed=False),
        last_failure=_pass(connection, failed=True),
        open_incidents=tuple(Incident(**found) for found in opened.mappings()),
        comparisons=compared,
        reaches=reaches(connection, compared),
        promises=tuple(
            Promise(**found) for found in connection.exec_driver_sql(compose(statement("reports/promises"))).mappings()
        ),
        exposures=_exposures(connection),
        advice=tuple(warnings.current(connection, has_exposure=users.is_whole, problems=users.problems)),
        marks=tuple(Mark(**found) for found in run(connection, "reports/cursor_marks").mappings()),
    )


def _ahead(connection: Connection, now: datetime) -> dict[str, Any]:
    """The files of the last day whose records are ahead of the clock, and the last batch of them."""
    found = warnings.ahead(connection, since=now - timedelta(days=1))
    last = found[-1] if found else None
    paths = {row.path for row in found}
    return {"ahead_files": len(paths), "ahead_path": last and last.path, "ahead_batch_id": last and last.batch_id}


def _exposures(connection: Connection) -> tuple[Exposure, ...]:
    latest = warnings.latest_complete(connection)
    if latest is None:
        return ()
    since = latest - EXPOSURE_HOURS * 3600
    piece = Slice(since, latest, EXPOSURE_LEAD_SECONDS, lags=lags(connection))
    shares = connection.exec_driver_sql(compose(statement("reports/exposures"), piece), {"since": since})
    return tuple(Exposure(**found) for found in shares.mappings())


def _pass(connection: Connection, *, failed: bool) -> Pass | None:
    found = run(connection, "reports/last_pass", {"is_failed": failed}).mappings().one_or_none()
    return None if found is None else Pass(**found)
