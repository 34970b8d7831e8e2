"""Compares the alerts that a pass found with those stored: inserts, revises, retracts, and assigns incidents.

An alert's natural key is rule, baseline, candidate, code, stop_ts and slot, which jobs/define_slot defines. Only alerts
that end in the pass's scope are changed. Only a change of a stored value is a revision; the former values stay in
`alert_revisions`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.detect import alert_intervals
from streammetrics.store.statements import run, statement
from streammetrics.store.views import compose, whole_incidents


@dataclass(frozen=True)
class Amendment:
    """How many alerts a portion of a pass changed."""

    new: int = 0
    revised: int = 0
    retracted: int = 0

    def __add__(self, other: "Amendment") -> "Amendment":
        return Amendment(self.new + other.new, self.revised + other.revised, self.retracted + other.retracted)


# Reserve an id for each new alert; `place` is added to the number before the first.
_DRAW = "select max(nextval('alert_ids')) - count(*) from fresh"

_UNKNOWN = "select * from found anti join stored using (rule, baseline, candidate, code, slot, stop_ts)"

_COUNTS = "select (select count(*) from fresh), (select count(*) from revised), (select count(*) from retracted)"

# Reserve a number for each new incident; `place` is added to the number before the first.
_DRAW_INCIDENTS = "select coalesce(max(nextval('incident_ids')) - count(*), 0) from {} where incident_id is null"


def amend(
    connection: Connection,
    found: str,
    after: datetime,
    until: datetime,
    reopen_seconds: int,
    run_id: int,
    now: datetime,
    *,
    has_intervals: bool = False,
) -> Amendment:
    """Make the stored alerts of a scope equal to `found`, in the caller's transaction.

    Args:
        found: a query for the alerts that the scope should have, jobs/find_alerts composed.
        after, until: naive UTC; alerts that end in (after, until] are in scope. The temporary table `portion_scopes`
            (rule, baseline, candidate, judged_after, judged_until) narrows that by pair.
        has_intervals: whether a rule has intervals of ratios.
    """
    run(connection, "jobs/define_slot")
    run(connection, "jobs/number_series")
    run(connection, "jobs/find_stored_alerts", {"after": after, "until": until})
    has_stored = connection.exec_driver_sql("select count(*) from stored").scalar_one()
    if has_stored or has_intervals:
        connection.exec_driver_sql("create or replace temp table found as\n" + found)
        if has_intervals:
            alert_intervals.put(connection)
        _find_fresh(connection, _UNKNOWN)
        run(connection, "jobs/find_revised_alerts")
        run(connection, "jobs/find_retracted_alerts")
        new, revised, retracted = connection.exec_driver_sql(_COUNTS).one()
    else:
        # Nothing is stored for this scope: all alerts are new.
        _find_fresh(connection, found)
        new, revised, retracted = connection.exec_driver_sql("select count(*), 0, 0 from fresh").one()
    changed = {"run": run_id, "now": now}
    if revised or retracted:
        run(connection, "jobs/keep_revisions", changed)
        run(connection, "jobs/revise_alerts", changed)
        run(connection, "jobs/retract_alerts", changed)
    if new:
        before = connection.exec_driver_sql(_DRAW).scalar_one()
        run(connection, "jobs/find_islands", {"reopen_seconds": reopen_seconds, "before": before})
        incidents = connection.exec_driver_sql(_DRAW_INCIDENTS.format("islands")).scalar_one()
        run(connection, "jobs/join_incidents")
        run(connection, "jobs/insert_alerts", {"before": before, "incidents": incidents, **changed})
    if revised or retracted:
        number_incidents(connection, whole_incidents("select rule, baseline, candidate, code from stored"))
    return Amendment(new, revised, retracted)


def _find_fresh(connection: Connection, found: str) -> None:
    fresh = compose(statement("jobs/find_fresh_alerts"), found=found)
    connection.exec_driver_sql("create or replace temp table fresh as\n" + fresh)


def number_incidents(connection: Connection, alerts: str = "select * from main.alerts") -> None:
    """Give each incident a unique number, in the caller's transaction; it keeps its former number if possible.

    Args:
        alerts: a query for all alerts of the series whose incidents may have been split or joined.
    """
    numbers = compose(statement("jobs/number_incidents"), alerts=alerts)
    connection.exec_driver_sql("create or replace temp table numbered as\n" + numbers)
    before = connection.exec_driver_sql(_DRAW_INCIDENTS.format("numbered")).scalar_one()
    run(connection, "jobs/assign_incident_numbers", {"before": before})
