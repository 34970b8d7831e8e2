"""Incidents as they are reported: the first alert of each, and what a pass changed."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from streammetrics.detect.watermarks import COMPARED
from streammetrics.store.statements import run, statement
from streammetrics.store.views import LAST_SECOND, alerts_of_open_incidents, compose, whole_incidents

_UNREPORTED = "select min(since_second) from unreported"
_EVERY = "select * from incidents order by start_ts, incident_id"
_OPEN = "select * from incidents where state = 'open' order by start_ts, incident_id"


@dataclass(frozen=True)
class Incident:
    """A row of the view `incidents`."""

    incident_id: int
    rule: str
    detector: str
    baseline: str
    candidate: str
    code: str
    start_ts: datetime
    stop_ts: datetime
    end_ts: datetime
    alerts: int
    peak_value: float
    threshold: float
    baseline_errors: int
    candidate_errors: int
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    state: str
    exposure: str | None
    candidate_share: float | None
    dispersion: float | None
    opened_ts: datetime

    @classmethod
    def of(cls, row: RowMapping | dict[str, Any]) -> "Incident":
        """The incident in a row, which may have further columns."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Latest:
    """The figures of an incident's latest alert, named as those of the incident."""

    start_ts: datetime
    peak_value: float
    threshold: float
    baseline_errors: int
    candidate_errors: int
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    exposure: str | None
    candidate_share: float | None


@dataclass(frozen=True)
class Departure:
    """A build that no longer sends, and its last record."""

    build: str
    last_ts: datetime


@dataclass(frozen=True)
class Change:
    """One incident and what a pass did to it: opened, reopened, worse, resolved, superseded or withdrawn.

    Args:
        doublings: how often it has doubled since its first alert; None if that is not known.
        again: the figures of the latest alert if it was reopened, else None.
        comparison_seconds: the age of the comparison when the incident opened; None if nothing is compared now.
        gone: if it was superseded, the builds that no longer send; empty if other comparisons took its place. Else
            None.
    """

    change: str
    incident: Incident
    doublings: float | None = None
    again: Latest | None = None
    comparison_seconds: int | None = None
    gone: tuple[Departure, ...] | None = None

    @property
    def figures(self) -> Incident | Latest:
        """The figures to report: if it was reopened, those of the latest alert."""
        return self.again or self.incident


@dataclass(frozen=True)
class Alert:
    """A row of the table `alerts`."""

    alert_id: int
    incident_id: int
    rule: str
    detector: str
    baseline: str
    candidate: str
    code: str
    start_ts: datetime
    stop_ts: datetime
    end_ts: datetime
    bin_seconds: int
    window_bins: int
    value: float
    threshold: float
    baseline_errors: int
    candidate_errors: int
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    state: str
    revision: int
    run_id: int
    exposure: str | None
    candidate_share: float | None
    dispersion: float | None


def reach(connection: Connection, after: int) -> int:
    """The epoch second after which incidents may change if all bins that end after `after` are judged.

    Compute it before a pass and use it afterwards too: the pass may also resolve incidents that ended before `after`.
    """
    return int(run(connection, "reports/incident_reach", {"after": after}).scalar_one())


def mark(connection: Connection, since: int | None) -> None:
    """Store incidents and seen batches as they are before a pass; `changes` compares with them and deletes them.

    What a killed run stored stays, so that its changes are reported too. In the caller's transaction.

    Args:
        since: incidents that end at or after this epoch second may change; None if none can.
    """
    earlier = connection.exec_driver_sql(_UNREPORTED).scalar()
    if earlier is None:
        connection.exec_driver_sql("delete from seen_before")
        run(connection, "jobs/mark_seen_batches")
    if since is not None and (earlier is None or since < earlier):
        _snapshot(connection, since)
        run(connection, "jobs/add_incidents_before", {"until": LAST_SECOND if earlier is None else earlier})
        connection.exec_driver_sql("insert into unreported values ($since)", {"since": since})


def changes(connection: Connection) -> list[Change]:
    """What passes did to incidents since `mark`, oldest first. Deletes the mark, in the caller's transaction."""
    since = connection.exec_driver_sql(_UNREPORTED).scalar()
    if since is None:
        return []
    _snapshot(connection, since)
    found = connection.exec_driver_sql(compose(statement("reports/changes"), **COMPARED), {"since": since}).all()
    connection.exec_driver_sql("delete from unreported")
    connection.exec_driver_sql("delete from incidents_before")
    return [
        Change(
            row.change,
            Incident.of(row.incident),
            row.incident["doublings"],
            row.again and Latest(**row.again),
            row.comparison_seconds,
            None if row.gone is None else tuple(Departure(**one) for one in row.gone),
        )
        for row in found
    ]


def _snapshot(connection: Connection, since: int) -> None:
    """The incidents that end at or after `since` (epoch seconds) as the temporary table `incidents_now`."""
    found = compose(statement("reports/incidents_now"), alerts=statement("reports/near_alerts"))
    connection.exec_driver_sql(f"create or replace temp table incidents_now as\n{found}", {"since": since})


def every(connection: Connection) -> list[Incident]:
    """All incidents, in order of their start."""
    return [Incident.of(row) for row in connection.exec_driver_sql(_EVERY).mappings()]


def open_now(connection: Connection) -> list[Incident]:
    """The open incidents, in order of their start."""
    found = connection.exec_driver_sql(compose(_OPEN, alerts=alerts_of_open_incidents()))
    return [Incident.of(row) for row in found.mappings()]


def recent(connection: Connection) -> list[Incident]:
    """The open incidents, and those resolved within reopen_seconds, in order of their start."""
    alerts = whole_incidents(statement("reports/recent_alerts"))
    found = connection.exec_driver_sql(compose(statement("reports/recent_incidents"), alerts=alerts))
    return [Incident.of(row) for row in found.mappings()]


def open_incidents(connection: Connection) -> int:
    """How many incidents are open now."""
    # The last alerts are enough to count them; all alerts of their codes may go back a year.
    sql = compose("select count(*) from incidents where state = 'open'", alerts=statement("reports/latest_alerts"))
    return int(connection.exec_driver_sql(sql).scalar_one())


def alerts_of(connection: Connection, run_ids: tuple[int, ...], *, every: bool) -> list[Alert]:
    """The alerts that a pass stored: every one of them, or those that are new and the first of their incident."""
    found = run(connection, "reports/alerts_of_runs", {"run_ids": list(run_ids), "every": every})
    return [Alert(*row) for row in found]
