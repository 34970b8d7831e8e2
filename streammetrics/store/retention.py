"""Removes what is older than `[retention]` allows: by the clock, one day at a time, each in a transaction of its own.

The table `pruned` records what was removed: of which relation, before when, how many records of which batch. Behind
that horizon nothing is judged again (`floor`), and new records are rejected (`kept_from`): they could not be judged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics.config import RetentionSettings
from streammetrics.runtime import utc
from streammetrics.store.statements import run, statement
from streammetrics.store.views import FIRST_SECOND, alerts_of_open_incidents, compose, timestamp_literal

_DAY = timedelta(days=1)
_CONFIRMED = timedelta(days=2)
"""How far the clock may be ahead of the newest 20 records."""


@dataclass(frozen=True)
class Step:
    """What one transaction removed: so many records of a relation, all that was left before a moment."""

    relation: str
    before: datetime
    records: int


_REMOVALS = {
    "events": ("jobs/old_events", "delete from events where ts < $before"),
    "counters": ("jobs/old_counters", "delete from counters where second < $before"),
    "alerts": (
        "jobs/old_alerts",
        "delete from alert_revisions where alert_id in (select alert_id from alerts join $old using (incident_id))",
        "delete from alerts where incident_id in (select incident_id from $old)",
        "delete from notices where taken_at < $before and incident_id is not null",
    ),
    "rejects": ("jobs/old_rejects", "delete from rejects where batch_id in (select batch_id from $old)"),
}
"""Of each relation what counts its old rows, `$old`, and what removes them."""


def prune(connection: Connection, settings: RetentionSettings, now: datetime) -> Step | None:
    """Remove the oldest day that is older than the settings allow, of one relation; None if there is none.

    Args:
        now: naive UTC. Where it is more than two days ahead of the newest records, these count.
    """
    now = _confirmed_until(connection, now)
    for name in _REMOVALS:
        days = getattr(settings, f"{name}_days")
        if days is None:
            continue
        horizon = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
        with connection.begin():
            if name == "alerts":
                # Which incidents are open takes a look at all alerts of their codes.
                first = connection.exec_driver_sql("select min(end_ts) from alerts").scalar_one()
                if first is None or first >= horizon:
                    continue
                _find_open_incidents(connection)
            oldest = connection.exec_driver_sql(_before("select min(moment) from $old", name, horizon)).scalar_one()
            if oldest is not None:
                before = min(horizon, oldest.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY)
                return Step(name, before, _remove(connection, name, before, now))
    return None


def _confirmed_until(connection: Connection, now: datetime) -> datetime:
    """No clock alone makes records old: newer ones have to have come."""
    with connection.begin():
        newest: datetime | None = run(connection, "jobs/newest_records").scalar_one()
    return now if newest is None else min(now, newest + _CONFIRMED)


def floor(connection: Connection, lead_seconds: int) -> int:
    """Only bins that end after this epoch second can be judged again: all that they are computed from is kept, as are
    the alerts that they may have had.
    """
    sql = "select relation, cast(epoch(max(before_ts)) as bigint) from pruned group by relation"
    before = {row[0]: row[1] for row in connection.exec_driver_sql(sql)}
    return int(max(before.get("counters", FIRST_SECOND) + lead_seconds, before.get("alerts", FIRST_SECOND)))


def kept_from(connection: Connection) -> datetime | None:
    """Counters of records before this time (naive UTC) were removed; None: of none."""
    sql = "select max(before_ts) from pruned where relation = 'counters'"
    found: datetime | None = connection.exec_driver_sql(sql).scalar_one()
    return found


def _find_open_incidents(connection: Connection) -> None:
    kept = compose(statement("jobs/open_alerts"), alerts=alerts_of_open_incidents())
    connection.exec_driver_sql(f"create or replace temp table open_incidents as\n{kept}")


def _remove(connection: Connection, name: str, before: datetime, now: datetime) -> int:
    counted = "select $name, $before, batch_id, sum(records)::bigint, $now from $old group by batch_id"
    connection.exec_driver_sql(_before(f"insert into pruned {counted}", name, before), {"name": name, "now": now})
    for removal in _REMOVALS[name][1:]:
        connection.exec_driver_sql(_before(removal, name, before))
    sql = "select sum(records)::bigint from pruned where relation = $name and before_ts = $before and removed_at = $now"
    return int(connection.exec_driver_sql(sql, {"name": name, "before": before, "now": now}).scalar_one())


def _before(sql: str, name: str, moment: datetime) -> str:
    """With a literal, which DuckDB compares to its zone maps."""
    whole = sql.replace("$old", f"({statement(_REMOVALS[name][0])})")
    return whole.replace("$before", timestamp_literal(utc.second_of(moment)))
