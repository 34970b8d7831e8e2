"""Incidents as people hear of them: the first alert of each, and what a pass changed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from streammetrics.views import compose, timestamp_literal
from streammetrics.watermarks import COMPARED

ALERT_COLUMNS = (
    "alert_id", "incident_id", "rule", "detector", "baseline", "candidate", "code", "start_ts", "stop_ts", "end_ts",
    "bin_seconds", "window_bins", "value", "threshold", "baseline_errors", "candidate_errors", "ratio", "ratio_low",
    "ratio_high", "state", "revision", "run_id", "exposure", "candidate_share", "dispersion",
)  # fmt: skip

# Rules that were never judged reach back as far as what waits. A superseded comparison may go on within a day.
_REACH = """
select least($after, cast(floor(epoch(min(settled_until))) as bigint)) - max(merge_seconds)
from settings
left join (
    select settled_until from progress semi join rules using (rule)
    where not is_superseded or epoch(settled_until) > $after - 86400
) on true
"""

# An incident is told whole: with one of its alerts in reach, all of them are read.
_ALERTS_NEAR = """
select * from main.alerts
where incident_id in (select incident_id from main.alerts where end_ts >= {reach})
"""

_LAST_ALERTS = """
select * from main.alerts
where end_ts >= (
    select min(settled_until) - to_seconds(any_value(merge_seconds))
    from progress semi join rules using (rule) cross join settings
    where not is_superseded
)
"""

_SNAPSHOT = """
select
    incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, alerts, peak_value, threshold,
    baseline_errors, candidate_errors, ratio, ratio_low, ratio_high, state, exposure, candidate_share, dispersion,
    opened_ts,
    case
        when exposure is not null then floor(log2(steepest.highest_ratio / nullif(steepest.first_ratio, 0)))
        when threshold > 0 and peak_value > 0 then floor(log2(peak_value / threshold))
    end as doublings
from incidents
left join (
    select incident_id, max(ratio) as highest_ratio, arg_min(ratio, (stop_ts, alert_id)) as first_ratio
    from alerts where state = 'current' group by incident_id
) as steepest using (incident_id)
"""

# Worse: the ratio has doubled once more since the first alert, or what a mean is over its threshold: a slow rise is
# reported, but not at every step. Evidence is no measure of that: it grows while nothing gets worse. The highest ratio
# of all alerts counts: that at the peak goes up and down.
_CHANGES = """
select change, struct_insert(incident, comparison_seconds := epoch(incident.opened_ts - comparison.begun_ts)::bigint)
from (
    select
        case
            when before.incident_id is null then 'opened'
            when after.incident_id is null then 'withdrawn'
            when before.state = 'open' and after.state <> 'open' then after.state
            when before.state <> 'open' and after.state = 'open' then 'reopened'
            when after.doublings > before.doublings then 'worse'
        end as change,
        case when after.incident_id is null then before else after end as incident
    from incidents_before as before
    full join incidents_after as after using (incident_id)
    where change is not null
)
left join (select baseline, candidate, make_timestamp(begun_second * 1000000) as begun_ts from pairs) as comparison
    on incident.baseline = comparison.baseline and incident.candidate = comparison.candidate
order by incident.start_ts, incident.incident_id
"""

_ALERTS_OF_RUNS = """
with touched as (
    select distinct incident_id from alerts where run_id in (select unnest($1)) and state = 'current'
),
firsts as (
    select arg_min(alert_id, row(start_ts, stop_ts, window_bins, alert_id)) as alert_id
    from alerts semi join touched using (incident_id)
    where state = 'current'
    group by incident_id
)
select {columns}
from alerts
where
    run_id in (select unnest($1)) and state = 'current'
    and ($2 or (revision = 0 and alert_id in (select alert_id from firsts)))
order by stop_ts, rule, code, window_bins, alert_id
"""


@dataclass(frozen=True)
class Change:
    """One incident and what a pass did to it: opened, reopened, worse, resolved, superseded or withdrawn.

    Its `comparison_seconds` are the age of the comparison when the incident opened; None where nothing is compared now.
    """

    change: str
    incident: dict[str, Any]


def reach(connection: Connection, after: int) -> int:
    """Behind which epoch second incidents may change, where all that ends behind `after` waits to be judged.

    To be asked before a pass and held to after it: a pass settles more, and incidents that it resolved lie before that.
    """
    return int(connection.exec_driver_sql(_REACH, {"after": after}).scalar_one())


def snapshot(connection: Connection, name: str, since: int) -> None:
    """Keep the incidents that end at or behind `since` (epoch seconds) as the temporary table `name`."""
    near = _ALERTS_NEAR.format(reach=timestamp_literal(since))
    connection.exec_driver_sql(f"create or replace temp table {name} as\n" + compose(_SNAPSHOT, alerts=near))


def changes(connection: Connection) -> list[Change]:
    """What differs between the snapshots `incidents_before` and `incidents_after`, oldest first."""
    return [Change(*row) for row in connection.exec_driver_sql(compose(_CHANGES, **COMPARED))]


def open_incidents(connection: Connection) -> int:
    """How many incidents are open now; their last alerts tell, for what ended long ago is not."""
    sql = "select count(*) from incidents where state = 'open'"
    return int(connection.exec_driver_sql(compose(sql, alerts=_LAST_ALERTS)).scalar_one())


def alerts_of(connection: Connection, run_ids: tuple[int, ...], *, every: bool) -> list[dict[str, Any]]:
    """The alerts that a pass stored: every one of them, or those that are new and the first of their incident."""
    sql = _ALERTS_OF_RUNS.format(columns=", ".join(ALERT_COLUMNS))
    return [dict(row) for row in connection.exec_driver_sql(sql, (list(run_ids), every)).mappings()]
