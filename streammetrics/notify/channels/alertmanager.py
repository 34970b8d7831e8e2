"""Prometheus' Alertmanager, by its API v2: it keeps alerts that are sent again, and ends those that are not.

Source: https://prometheus.io/docs/alerting/latest/clients/
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from streammetrics.detect.incidents import Incident
from streammetrics.notify import http, texts
from streammetrics.notify.messages import Message, Notice
from streammetrics.notify.outbox import Condition

ALERT_NAME = "ErrorsIncreased"
_NAMES = {"feed": "FeedSilent", "job": "JobFailing"}


def send(url: str, alerts: Iterable[dict[str, Any]], timeout_seconds: float) -> None:
    """Post alerts; `url` is Alertmanager's own, such as http://127.0.0.1:9093.

    Raises:
        InputOutputError: Alertmanager does not accept them.
    """
    if found := list(alerts):
        http.post_json(f"{url.rstrip('/')}/api/v2/alerts", found, timeout_seconds)


def alert(incident: Incident, until: datetime, notice: texts.Text) -> dict[str, Any]:
    """The alert of an open incident; it ends at `until` (naive UTC) unless it is sent again."""
    annotations = {"summary": notice.summary, "description": notice.body}
    link = {} if notice.link is None else {"generatorURL": notice.link}
    if notice.link is not None:
        annotations["report"] = notice.link
    return {**_alert(vars(incident), incident.start_ts, until), "annotations": annotations, **link}


def ended(notice: Notice, now: datetime) -> dict[str, Any]:
    """The alert of an incident or condition that a notice reports as ended, at `now` (naive UTC)."""
    if notice.incident_id is None:
        return condition(Condition(notice.key, notice.fields["text"], now), now)
    subject, _, body = notice.text.partition("\n")
    # Alertmanager replaces the annotations too, so they are sent again.
    annotations = {"summary": subject.partition("] ")[2], "description": body}
    start = datetime.fromisoformat(notice.fields["start_ts"])
    return {**_alert(notice.fields, start, now), "annotations": annotations}


def condition(condition: Condition, until: datetime) -> dict[str, Any]:
    """The alert of a silent source or a failing job."""
    kind, _, name = condition.key.partition("-")
    labels = {"alertname": _NAMES[kind], kind: name}
    return {**_span(condition.since_ts, until), "labels": labels, "annotations": {"summary": condition.text}}


def test(message: Message, now: datetime, until: datetime) -> dict[str, Any]:
    """A test alert, which says that it is one."""
    return {
        **_span(now, until),
        "labels": {"alertname": "StreammetricsTest"},
        "annotations": {"summary": message.subject, "description": message.body},
    }


def _alert(incident: Mapping[str, Any], start: datetime, until: datetime) -> dict[str, Any]:
    labels = {name: incident[name] for name in ("rule", "code", "baseline", "candidate")}
    return {"labels": {"alertname": ALERT_NAME, **labels}, **_span(start, until)}


def _span(start: datetime, until: datetime) -> dict[str, str]:
    # Alertmanager refuses an alert that ends before it starts, which happens if the clock is behind.
    return {"startsAt": f"{min(start, until).isoformat()}Z", "endsAt": f"{until.isoformat()}Z"}
