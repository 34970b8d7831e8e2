"""Incidents as people hear of them: the first alert of each, and what a pass changed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from streammetrics.detect.watermarks import COMPARED
from streammetrics.store.statements import run, statement
from streammetrics.store.views import compose


@dataclass(frozen=True)
class Change:
    """One incident and what a pass did to it: opened, reopened, worse, resolved, superseded or withdrawn.

    Its `comparison_seconds` are the age of the comparison when the incident opened; None where nothing is compared now.
    `again` holds the figures of the latest alert of one that was reopened, `gone` the builds that have gone and their
    last records where it was superseded: none of them where other comparisons took the place. Else they are None.
    """

    change: str
    incident: dict[str, Any]


def reach(connection: Connection, after: int) -> int:
    """Behind which epoch second incidents may change, where all that ends behind `after` waits to be judged.

    To be asked before a pass and held to after it: a pass settles more, and incidents that it resolved lie before that.
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
    sql = compose("select count(*) from incidents where state = 'open'", alerts=statement("reports/latest_alerts"))
    return int(connection.exec_driver_sql(sql).scalar_one())


def alerts_of(connection: Connection, run_ids: tuple[int, ...], *, every: bool) -> list[dict[str, Any]]:
    """The alerts that a pass stored: every one of them, or those that are new and the first of their incident."""
    found = run(connection, "reports/alerts_of_runs", {"run_ids": list(run_ids), "every": every})
    return [dict(row) for row in found.mappings()]
