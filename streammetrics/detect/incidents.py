"""Incidents as they are reported: the first alert of each, and the changes by a pass."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from streammetrics.detect.watermarks import COMPARED
from streammetrics.store.statements import run, statement
from streammetrics.store.views import compose


@dataclass(frozen=True)
class Change:
    """One incident and what a pass did to it: opened, reopened, worse, resolved, superseded or withdrawn.

    Its `comparison_seconds` are the age of the comparison when the incident opened; None if nothing is compared now.
    `again` holds the figures of the latest alert if it was reopened, else None. `gone` holds the builds that are gone
    and their last records if it was superseded, else None; it is empty if other comparisons took the place.
    """

    change: str
    incident: dict[str, Any]


def reach(connection: Connection, after: int) -> int:
    """The epoch second after which incidents may change if everything that ends after `after` is judged.

    Compute it before a pass and use it afterwards too: the pass settles more, and resolves incidents before that.
    """
    return int(run(connection, "reports/incident_reach", {"after": after}).scalar_one())


def snapshot(connection: Connection, name: str, since: int) -> None:
    """Keep the incidents that end at or behind `since` (epoch seconds) as the temporary table `name`."""
    found = compose(statement("reports/incidents_now"), alerts=statement("reports/near_alerts"))
    connection.exec_driver_sql(f"create or replace temp table {name} as\n{found}", {"since": since})


def changes(connection: Connection, since: int) -> list[Change]:
    """What differs between the snapshots `incidents_before` and `incidents_after` of `since`, oldest first."""
    found = connection.exec_driver_sql(compose(statement("reports/changes"), **COMPARED), {"since": since})
    return [Change(*row) for row in found]


def open_incidents(connection: Connection) -> int:
    """How many incidents are open now."""
    # To count them their last alerts are enough; all alerts of their codes may be a year of them.
    sql = compose("select count(*) from incidents where state = 'open'", alerts=statement("reports/latest_alerts"))
    return int(connection.exec_driver_sql(sql).scalar_one())


def alerts_of(connection: Connection, run_ids: tuple[int, ...], *, every: bool) -> list[dict[str, Any]]:
    """The alerts that a pass stored: every one of them, or those that are new and the first of their incident."""
    found = run(connection, "reports/alerts_of_runs", {"run_ids": list(run_ids), "every": every})
    return [dict(row) for row in found.mappings()]
