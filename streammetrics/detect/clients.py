"""How many distinct clients sent the code of an incident, counted from `events`."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.detect.incidents import Change
from streammetrics.detect.watermarks import COMPARED
from streammetrics.runtime import utc
from streammetrics.store.statements import as_json, statement
from streammetrics.store.views import compose, timestamp_literal


@dataclass(frozen=True)
class Clients:
    """Distinct clients of each build since the onset; None if unknown."""

    baseline: int | None = None
    candidate: int | None = None


def of_changes(connection: Connection, config: Config, changed: Sequence[Change]) -> dict[int, Clients]:
    """The clients of incidents by incident number, from the onset in their notices to their end, or until now.

    Called after a pass, in the transaction that reports its changes. Incidents without known clients are left out. If
    no source has a column of clients, nothing is read.
    """
    if not changed or not any(source.columns and source.columns.client for source in config.source):
        return {}
    rows = [
        {
            "incident_id": one.incident.incident_id,
            "baseline": one.incident.baseline,
            "candidate": one.incident.candidate,
            "code": one.incident.code,
            "start_ts": one.figures.start_ts,
            "until_ts": None if one.incident.state == "open" else one.incident.end_ts,
        }
        for one in changed
    ]
    since = timestamp_literal(utc.second_of(min(one.figures.start_ts for one in changed)))
    sql = compose(statement("reports/incident_clients").replace("$since", since), **COMPARED)
    found = connection.exec_driver_sql(sql, {"incidents": as_json(rows)})
    return {number: Clients(*counts) for number, *counts in found}
