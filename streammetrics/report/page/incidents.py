"""The incidents of the report page: figures in words, rates and evidence over time, and how to check them."""

import math
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, RowMapping

from streammetrics.report import wording
from streammetrics.report.page.errors import Series, errors
from streammetrics.runtime import suggestions, utc
from streammetrics.runtime.terminal import figure, moment, power
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.store.statements import run, statement
from streammetrics.store.views import compose, whole_incidents

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_LISTED = 500
MOST_DRAWN = 50
"""Most incidents with figures: each adds some 20 kB to the page."""

_STEPS = (30, 60, 120, 300, 600, 1800, 3600, 7200)
_MOST_STEPS = 120
_LEAST_MARGIN_SECONDS, _MOST_MARGIN_SECONDS = 1800, 6 * 3600
_MOST_SECONDS = 7 * DAY_SECONDS


@dataclass(frozen=True)
class Incident:
    """An incident of the table. `end_ts` is the end of its last alert so far; `rank` sorts by how bad it is."""

    incident_id: int
    rule: str
    detector: str
    baseline: str
    candidate: str
    code: str
    state: str
    start_ts: datetime
    opened_ts: datetime
    stop_ts: datetime
    end_ts: datetime
    baseline_errors: int
    candidate_errors: int
    ratio: str
    rank: float
    value: float
    evidence: str
    required: str
    exposure: str | None

    @property
    def pair(self) -> str:
        return f"{self.baseline} → {self.candidate}"


@dataclass(frozen=True)
class Notice:
    """A notice of an incident to a channel; `taken_at`: None until the channel accepts it. Clients: None if unknown."""

    change: str
    channel: str
    created_at: datetime
    taken_at: datetime | None
    baseline_clients: int | None = None
    candidate_clients: int | None = None


@dataclass(frozen=True)
class Details:
    """What the page shows of one incident besides its row in the table.

    Args:
        series: the seconds and steps of the errors.
        baseline_errors, candidate_errors: per step.
        evidence: (end of an alert's last bin as epoch second, value, required) in order of time.
        queries: SQL that reproduces the figures, a title for each.
        explain: the command that explains its last alert.
    """

    incident: Incident
    series: Series
    baseline_errors: "NDArray[np.int64]"
    candidate_errors: "NDArray[np.int64]"
    evidence: tuple[tuple[int, float, float], ...]
    notices: tuple[Notice, ...]
    queries: Mapping[str, str]
    explain: str

    @property
    def counted(self) -> Notice | None:
        """The last notice for which clients were counted."""
        return next((one for one in reversed(self.notices) if one.candidate_clients is not None), None)


def collect(
    connection: Connection, first_ts: datetime | None, last_ts: datetime | None, span: tuple[int, int] | None
) -> tuple[int, list[Incident], list[Details]]:
    """The number of incidents that are open or in the span, the first of them, and details of the first of these.

    `first_ts` and `last_ts` are the first and last record. Creates a temporary table.
    """
    if span is None or first_ts is None or last_ts is None:
        return 0, [], []
    after, until = span
    tails = f"{statement('reports/pictured_alerts')}\nunion all\n{statement('reports/latest_alerts')}"
    sql = compose(statement("reports/page_incidents"), alerts=whole_incidents(tails))
    parameters = {"after": after, "until": until, "most": MOST_LISTED}
    connection.exec_driver_sql(f"create or replace temp table page_incidents as\n{sql}", parameters)
    rows = connection.exec_driver_sql("select * from page_incidents").mappings().all()
    listed = [_incident(row) for row in rows]
    data = utc.second_of(first_ts), utc.second_of(last_ts) + 1
    return (rows[0]["found"] if rows else 0), listed, _details(connection, listed[:MOST_DRAWN], data)


def literal(value: object) -> str:
    """A value in SQL; unprintable characters are written as chr(n), so that it can be read and copied."""
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if not isinstance(value, str):
        return str(value)
    letters = ("''" if one == "'" else one if one.isprintable() else f"' || chr({ord(one)}) || '" for one in value)
    return f"'{''.join(letters)}'"


def argument(text: str) -> str:
    """A value for a shell; unprintable characters are escapes of bash."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = text.encode("unicode_escape").decode().replace("'", "\\'")
    return f"$'{escaped}'"


def _incident(row: RowMapping) -> Incident:
    show = figure if row["exposure"] is None else power
    ratio = next((row[name] for name in ("ratio", "ratio_low") if row[name] is not None), math.inf)
    names = ("incident_id", "rule", "detector", "baseline", "candidate", "code", "state")
    times = ("start_ts", "opened_ts", "stop_ts", "end_ts")
    return Incident(
        **{name: row[name] for name in (*names, *times, "baseline_errors", "candidate_errors")},
        ratio=wording.ratio(cast("wording.Ratio", SimpleNamespace(**row))).strip(" ()") or "none in the baseline",
        rank=ratio,
        value=row["peak_value"],
        evidence=show(row["peak_value"]),
        required=show(row["threshold"]),
        exposure=None if row["exposure"] is None else wording.exposure(row["exposure"], row["candidate_share"]),
    )


def _details(connection: Connection, listed: Sequence[Incident], data: tuple[int, int]) -> list[Details]:
    """Details of incidents, in order; `data` are the epoch seconds of the first record and after the last."""
    ids = {"incident_ids": [one.incident_id for one in listed]}
    evidence = {row[0]: tuple(zip(*row[1:], strict=True)) for row in run(connection, "reports/page_evidence", ids)}
    notices = defaultdict(list)
    for incident_id, channel, change, *rest in run(connection, "reports/page_notices", ids):
        notices[incident_id].append(Notice(change, channel, *rest))
    pairs = [(_series(one, one.baseline, data), _series(one, one.candidate, data)) for one in listed]
    found = iter(errors(connection, [series for pair in pairs for series in pair]))
    return [
        Details(
            incident=one,
            series=pair[0],
            baseline_errors=next(found),
            candidate_errors=next(found),
            evidence=evidence.get(one.incident_id, ()),
            notices=tuple(notices[one.incident_id]),
            queries=_queries(one, pair[0]),
            explain=_explain(one),
        )
        for one, pair in zip(listed, pairs, strict=True)
    ]


def _series(one: Incident, build: str, data: tuple[int, int]) -> Series:
    """The errors around an incident, in at most 120 steps that begin at multiples of their length."""
    start, end = utc.second_of(one.start_ts), utc.second_of(one.end_ts)
    margin = min(max(_LEAST_MARGIN_SECONDS, (end - start) // 2), _MOST_MARGIN_SECONDS)
    until = min(end + margin, data[1])
    first = max(start - margin, data[0], until - _MOST_SECONDS)
    step = next((step for step in _STEPS if until - first <= step * _MOST_STEPS), _STEPS[-1])
    # An incomplete step would look like a drop.
    begin = first // step * step
    return Series(build, (one.code,), begin, step, max(1, (until - begin) // step))


def _queries(one: Incident, series: Series) -> dict[str, str]:
    values = {
        **{name: getattr(one, name) for name in ("incident_id", "rule", "baseline", "candidate", "code")},
        **{"start_ts": one.start_ts, "end_ts": one.end_ts},
        **{name: getattr(series, name) for name in ("first_second", "until_second", "step_seconds")},
    }
    texts = {
        "Its figures": statement("reports/copy_incident"),
        "Errors of both builds over time": statement("reports/copy_rates"),
        "Its alerts: evidence and what was required": statement("reports/copy_alerts"),
    }
    return {
        title: re.sub(r"\$(\w+)", lambda name: literal(values[name[1]]), text).strip() for title, text in texts.items()
    }


def _explain(one: Incident) -> str:
    at = moment(one.stop_ts).replace(" ", "T")
    command = suggestions.command("streammetrics explain")
    return f"{command} --rule {argument(one.rule)} --code {argument(one.code)} --at {at}"
