"""streammetrics with its defaults: a store, and a pass every minute over the records that came in, as `run` does it.

Users are not given: exposure is estimated from the errors, which is the default.
"""

from datetime import UTC, timedelta
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Connection

from bench.detection.ours import store
from bench.peers.events import BUILDS, Events
from bench.peers.judge import MINUTE, Incident
from streammetrics.config import Config
from streammetrics.detect import incidents, passes
from streammetrics.store import builds, views

LONG_SECONDS, LONG_EVERY = 12 * 3600, 5 * MINUTE
"""Longer streams are judged every five minutes, to save time: the same bins are judged as every minute."""

_COUNTERS = """
insert into counters
select make_timestamp(second * 1000000), if(is_candidate, $3, $2), code, errors, $1 from came order by second
"""

_BATCH = """
insert into batches
select $1, 'bench', 'bench', 0, 0, '', 0, coalesce(sum(errors), 0), 0, min(second), max(second), $2, null
from counters where batch_id = $1
"""


def prepare() -> None:
    """Nothing to install."""


def alerts(events: Events) -> list[Incident]:
    """What each pass reports. A reopened incident counts as a new one, for it is reported again."""
    found: list[Incident] = []
    opened: dict[str, int] = {}
    every = LONG_EVERY if events.seconds > LONG_SECONDS else MINUTE
    with store() as connection:
        for now in range(every, events.seconds + 1, every):
            _load(connection, events, now - every, now)
            for code, change in _pass(connection, events, now):
                if change in ("opened", "reopened"):
                    opened[code] = now
                elif change != "worse":
                    found.append(Incident(code, opened.pop(code), now))
    return [*found, *(Incident(code, second) for code, second in opened.items())]


def _load(connection: Connection, events: Events, since: int, until: int) -> None:
    """A batch of what has come in [since, until), as ingest leaves it; events are left out, for no rule reads them."""
    came = events.frame.filter(pl.col("seen").is_between(since, until, closed="left"))
    counted = came.group_by("second", "is_candidate", "code").len("errors").to_dict(as_series=False)
    columns = {name: np.array(values, dtype=object if name == "code" else None) for name, values in counted.items()}
    columns["second"] = columns["second"] + int(events.start.replace(tzinfo=UTC).timestamp())
    raw: Any = connection.connection.driver_connection
    with connection.begin():
        batch_id = connection.exec_driver_sql("select nextval('batch_ids')").scalar_one()
        raw.register("came", columns)
        connection.exec_driver_sql(_COUNTERS, (batch_id, *BUILDS))
        raw.unregister("came")
        connection.exec_driver_sql(_BATCH, (batch_id, events.start + timedelta(seconds=until)))
        builds.update(connection, batch_id)


def _pass(connection: Connection, events: Events, now: int) -> list[tuple[str, str]]:
    """The changes of incidents, by code."""
    config = Config()
    with connection.begin():
        waiting = passes.plan(connection, config)
        incidents.mark(connection, incidents.reach(connection, waiting[0] if waiting else views.LAST_SECOND))
    passes.judge_planned(connection, config, lambda: events.start + timedelta(seconds=now), waiting)
    with connection.begin():
        return [(one.incident.code, one.change) for one in incidents.changes(connection)]
