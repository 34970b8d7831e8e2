"""Removes what is older than `[retention]` allows: by the clock, one day at a time, each in a transaction of its own.

The table `pruned` records what was removed: of which relation, before when, how many records of which batch. Behind
that horizon nothing is judged again (`floor`), and new records are rejected (`kept_from`): they could not be judged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics.config import RetentionSettings
from streammetrics.store.statements import run
from streammetrics.store.views import FIRST_SECOND

_DAY = timedelta(days=1)
_CONFIRMED = timedelta(days=2)
"""How far the clock may be ahead of the newest 20 records."""


@dataclass(frozen=True)
class Step:
    """What one transaction removed: so many records of a relation, all that was left before a moment."""

    relation: str
    before: datetime
    records: int


@dataclass(frozen=True)
class _Relation:
    """`oldest`: when the first of what may go was; `counted`: what goes by batch; `removals` removes it."""

    oldest: str
    counted: str
    removals: tuple[str, ...]


# An incident goes whole, and not before it is over: where its feed is stalled, it never is.
_OVER = """(
    select incident_id, max(end_ts) as end_ts
    from alerts
    group by incident_id
    having max(end_ts) < {before}
) anti join (
    select alerts.incident_id
    from alerts
    inner join progress using (rule, baseline, candidate)
    semi join rules using (rule)
    cross join settings
    where
        alerts.state = 'current' and not progress.is_superseded
        and epoch(alerts.end_ts) + settings.merge_seconds > epoch(progress.settled_until)
) using (incident_id)
"""

_OLD_BATCHES = "select batch_id from batches where loaded_at < {before}"

_RELATIONS = {
    "events": _Relation(
        "select min(ts) from events where ts < {before}",
        "select batch_id, count(*) from events where ts < {before} group by batch_id",
        ("delete from events where ts < {before}",),
    ),
    "counters": _Relation(
        "select min(second) from counters where second < {before}",
        "select batch_id, sum(errors)::bigint from counters where second < {before} group by batch_id",
        ("delete from counters where second < {before}",),
    ),
    "alerts": _Relation(
        "select min(end_ts) from {over}",
        "select null::bigint, count(*) from alerts where incident_id in (select incident_id from {over})",
        (
            "delete from alert_revisions where alert_id in (select alert_id from alerts where incident_id in\n"
            "(select incident_id from {over}))",
            "delete from alerts where incident_id in (select incident_id from {over})",
            "delete from notices where taken_at < {before}",
        ),
    ),
    "rejects": _Relation(
        "select min(loaded_at) from batches semi join rejects using (batch_id) where loaded_at < {before}",
        "select batch_id, count(*) from rejects where batch_id in ({old_batches}) group by batch_id",
        ("delete from rejects where batch_id in ({old_batches})",),
    ),
}


def prune(connection: Connection, settings: RetentionSettings, now: datetime) -> Step | None:
    """Remove the oldest day that is older than the settings allow, of one relation; None if there is none.

    Args:
        now: naive UTC. Where it is more than two days ahead of the newest records, these count.
    """
    now = _confirmed_until(connection, now)
    for name, relation in _RELATIONS.items():
        days = getattr(settings, f"{name}_days")
        if days is None:
            continue
        horizon = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
        with connection.begin():
            oldest = connection.exec_driver_sql(_before(relation.oldest, horizon)).scalar_one()
            if oldest is not None:
                before = min(horizon, oldest.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY)
                return Step(name, before, _remove(connection, name, relation, before, now))
    return None


def _confirmed_until(connection: Connection, now: datetime) -> datetime:
    """No clock alone makes records old: newer ones have to have come."""
    with connection.begin():
        newest: datetime | None = run(connection, "jobs/newest_records").scalar_one()
    return now if newest is None else min(now, newest + _CONFIRMED)


def floor(connection: Connection, lead_seconds: int) -> int:
    """Only bins that end after this epoch second can be judged anew: all that they are computed from is kept, as are
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


def _remove(connection: Connection, name: str, relation: _Relation, before: datetime, now: datetime) -> int:
    counted = _before(relation.counted, before)
    connection.exec_driver_sql(
        "insert into pruned\n"
        f"select $name, $before, batch_id, records, $now from ({counted}) as counted (batch_id, records)",
        {"name": name, "before": before, "now": now},
    )
    for statement in relation.removals:
        connection.exec_driver_sql(_before(statement, before))
    sql = "select sum(records)::bigint from pruned where relation = $name and before_ts = $before and removed_at = $now"
    return int(connection.exec_driver_sql(sql, {"name": name, "before": before, "now": now}).scalar_one())


def _before(sql: str, moment: datetime) -> str:
    """With a literal, which DuckDB compares to its zone maps."""
    whole = sql.replace("{over}", _OVER).replace("{old_batches}", _OLD_BATCHES)
    return whole.replace("{before}", f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'")
