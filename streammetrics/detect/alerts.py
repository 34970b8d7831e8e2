"""What a pass found against what is stored: alerts inserted, revised, retracted, and given their incident.

An alert's natural key is rule, baseline, candidate, code, stop_ts and slot: of means, each length of window alerts on
its own in a bin; of `sequential` the likeliest does. Only alerts that end in the pass's scope are touched, and only a
change of a stored value is a revision; what it replaces stays in `alert_revisions`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.detect import alert_intervals
from streammetrics.store import statements
from streammetrics.store.views import compose


@dataclass(frozen=True)
class Amendment:
    """How many alerts a portion of a pass changed."""

    new: int = 0
    revised: int = 0
    retracted: int = 0

    def __add__(self, other: "Amendment") -> "Amendment":
        return Amendment(self.new + other.new, self.revised + other.revised, self.retracted + other.retracted)


_STORED = """
create or replace temp table stored as
select alerts.*, case when alerts.detector = 'sequential' then 0 else alerts.window_bins end as slot
from alerts
inner join portion_scopes as scopes using (rule, baseline, candidate)
where
    alerts.end_ts > ? and alerts.end_ts <= ?
    and epoch(alerts.end_ts) > scopes.judged_after and epoch(alerts.end_ts) <= scopes.judged_until
"""

_REVISED = """
create or replace temp table revised as
select stored.alert_id, found.*
from stored inner join found using (rule, baseline, candidate, code, slot, stop_ts)
where
    stored.state <> 'current'
    or stored.detector <> found.detector
    or stored.bin_seconds <> found.bin_seconds
    or stored.window_bins <> found.window_bins
    or stored.start_ts <> found.start_ts
    or stored.value <> found.value
    or stored.threshold <> found.threshold
    or stored.baseline_errors <> found.baseline_errors
    or stored.candidate_errors <> found.candidate_errors
    or stored.ratio is distinct from found.ratio
    or stored.ratio_low is distinct from found.ratio_low
    or stored.ratio_high is distinct from found.ratio_high
    or stored.exposure is distinct from found.exposure
    or stored.candidate_share is distinct from found.candidate_share
    or stored.dispersion is distinct from found.dispersion
"""


_KEEP = """
insert into alert_revisions
select
    alert_id, revision, state, start_ts, end_ts, window_bins, value, threshold, baseline_errors, candidate_errors,
    ratio, ratio_low, ratio_high, exposure, candidate_share, dispersion, run_id, ?, ?
from stored
where alert_id in (select alert_id from revised union all select alert_id from retracted)
order by alert_id
"""

_RETRACT = """
update alerts set state = 'retracted', revision = revision + 1, run_id = ?, updated_at = ?
where alert_id in (select alert_id from retracted)
"""

_RETRACTED = """
create or replace temp table retracted as
select alert_id
from stored anti join found using (rule, baseline, candidate, code, slot, stop_ts)
where state = 'current'
"""

# A number for rule, comparison and code together, in their order: half a million alerts are sorted and grouped by it in
# a fraction of the time that their texts take.
_SERIES = """
create or replace temp table series as
select rule, baseline, candidate, code, row_number() over (order by rule, baseline, candidate, code) as series
from (select distinct rule, baseline, candidate from portion_scopes) cross join (select distinct code from codes)
"""

# Identities follow the time of the alerts; several threads would draw them from the sequence in any order.
_FRESH = """
create or replace temp table fresh as
select row_number() over () as place, ordered.*
from (
    select found.*, series.series
    from ({found}) as found
    inner join series using (rule, baseline, candidate, code)
    order by found.stop_ts, series.series, found.window_bins
) as ordered
"""

# As many identities as there are new alerts; `place` is added to what is before them.
_DRAW = "select max(nextval('alert_ids')) - count(*) from fresh"

_UNKNOWN = "select * from found anti join stored using (rule, baseline, candidate, code, slot, stop_ts)"

_COUNTS = "select (select count(*) from fresh), (select count(*) from revised), (select count(*) from retracted)"

# As many numbers as there are new incidents; their `place` is added to what is before them.
_DRAW_INCIDENTS = "select coalesce(max(nextval('incident_ids')) - count(*), 0) from {} where incident_id is null"


_ALERTS_IN_SCOPE = """
select * from main.alerts
semi join (select distinct rule, baseline, candidate, code from stored) as scope using (rule, baseline, candidate, code)
"""


def amend(
    connection: Connection,
    found: str,
    after: datetime,
    until: datetime,
    merge_seconds: int,
    run_id: int,
    now: datetime,
    *,
    has_intervals: bool = False,
) -> Amendment:
    """Make the stored alerts of a scope what `found` says they are, in the caller's transaction.

    Args:
        found: a query for the alerts that the scope should have, jobs/find_alerts composed.
        after, until: naive UTC; alerts that end in (after, until] are in scope. The temporary table `portion_scopes`
            (rule, baseline, candidate, judged_after, judged_until) narrows that by pair.
        has_intervals: some of the rules tell how sure their ratios are.
    """

    def run(sql: str, *parameters: object) -> None:
        connection.exec_driver_sql(sql, parameters)

    run(_SERIES)
    run(_STORED, after, until)
    has_stored = connection.exec_driver_sql("select count(*) from stored").scalar_one()
    if has_stored or has_intervals:
        run("create or replace temp table found as\n" + found)
        if has_intervals:
            alert_intervals.put(connection)
        run(_FRESH.format(found=_UNKNOWN))
        run(_REVISED)
        run(_RETRACTED)
        new, revised, retracted = connection.exec_driver_sql(_COUNTS).one()
    else:
        # All is new, and need not be kept twice.
        run(_FRESH.format(found=found))
        new, revised, retracted = connection.exec_driver_sql("select count(*), 0, 0 from fresh").one()
    if revised or retracted:
        run(_KEEP, run_id, now)
        statements.run(connection, "jobs/revise_alerts", {"run_id": run_id, "now": now})
        run(_RETRACT, run_id, now)
    if new:
        before = connection.exec_driver_sql(_DRAW).scalar_one()
        statements.run(connection, "jobs/find_islands", {"merge_seconds": merge_seconds, "before": before})
        incidents = connection.exec_driver_sql(_DRAW_INCIDENTS.format("islands")).scalar_one()
        statements.run(connection, "jobs/join_incidents")
        row = {"before": before, "incidents": incidents, "run": run_id, "now": now}
        statements.run(connection, "jobs/insert_alerts", row)
    if revised or retracted:
        number_incidents(connection, _ALERTS_IN_SCOPE)
    return Amendment(new, revised, retracted)


def number_incidents(connection: Connection, alerts: str = "select * from main.alerts") -> None:
    """Give each incident one number of its own, in the caller's transaction: what it has is kept where it can be.

    Args:
        alerts: a query for the alerts of the series whose incidents may have been cut or joined.
    """
    numbers = compose(statements.statement("jobs/number_incidents"), alerts=alerts)
    connection.exec_driver_sql("create or replace temp table numbered as\n" + numbers)
    before = connection.exec_driver_sql(_DRAW_INCIDENTS.format("numbered")).scalar_one()
    statements.run(connection, "jobs/assign_incident_numbers", {"before": before})
