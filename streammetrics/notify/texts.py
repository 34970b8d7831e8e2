"""The text of a notice about one incident: a subject, and up to ten lines."""

import shlex
from dataclasses import dataclass

from streammetrics.detect.clients import Clients
from streammetrics.detect.incidents import Change, Incident, Latest
from streammetrics.report import wording
from streammetrics.runtime.terminal import figure, moment, named, power, printable

TAGS = {
    "opened": "FIRING",
    "reopened": "FIRING AGAIN",
    "worse": "WORSE",
    "resolved": "RESOLVED",
    "superseded": "SUPERSEDED",
    "withdrawn": "WITHDRAWN",
}


@dataclass(frozen=True)
class Text:
    """`summary` is the subject without its tag; `link` is the incident's place in the report, if that is published."""

    subject: str
    summary: str
    body: str
    link: str | None = None

    def __str__(self) -> str:
        return f"{self.subject}\n{self.body}"


def of_change(change: Change, explain: str, report_url: str | None, clients: Clients | None = None) -> Text:
    """An incident that changed.

    Args:
        explain: the beginning of the `explain` command, with its --config.
        report_url: where the report is published.
        clients: how many clients sent the code; None if unknown.
    """
    incident = change.incident
    figures = change.figures
    grown = f" x{figures.ratio:.3g}" if figures.ratio is not None else ""
    summary = f"code {named(incident.code)}{grown} in {printable(incident.candidate)}"
    link = None if report_url is None else f"{report_url}#incident-{incident.incident_id}"
    until = "" if incident.state == "open" else f" to {moment(incident.end_ts)}"
    comparison = f"{printable(incident.baseline)} -> {printable(incident.candidate)}"
    lines = [
        wording.how_much(figures),
        *([] if clients is None else [f"clients: {_count(clients.baseline)} -> {_count(clients.candidate)}"]),
        f"since {moment(figures.start_ts)}{until} UTC, {comparison}",
        f"why: {_why(incident.rule, figures)}",
        *([] if change.gone is None else [f"over: {wording.departed(change.gone)}"]),
        f"{explain} --code {shlex.quote(printable(incident.code))} --at {incident.stop_ts.isoformat()}",
        *([] if link is None else [link]),
    ]
    return Text(f"[{TAGS[change.change]}] {summary}", summary, "\n".join(lines), link)


def _count(clients: int | None) -> str:
    return "unknown" if clients is None else f"{clients:,}"


def _why(rule: str, figures: Incident | Latest) -> str:
    """Why it fired, in a sentence."""
    if figures.exposure is None or figures.candidate_share is None:
        return f"rule {printable(rule)} found a mean of {figure(figures.peak_value)}, above {figure(figures.threshold)}"
    exposure = wording.exposure(figures.exposure, figures.candidate_share)
    evidence = f"evidence {power(figures.peak_value)} where {power(figures.threshold)} is required"
    return f"rule {printable(rule)} has {evidence}; {exposure}"
