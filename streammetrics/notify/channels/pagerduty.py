"""PagerDuty, by its Events API v2. Apprise accepts its URLs, but sends no deduplication key for an incident.

Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from streammetrics.errors import InputOutputError
from streammetrics.notify import http
from streammetrics.notify.messages import Message

SCHEME = "pagerduty://"

_REGIONS = {"us": "https://events.pagerduty.com/v2/enqueue", "eu": "https://events.eu.pagerduty.com/v2/enqueue"}


def send(url: str, message: Message, timeout_seconds: float) -> None:
    """Trigger or resolve the PagerDuty incident with the message's key.

    Args:
        url: pagerduty://INTEGRATION_KEY@anything, with ?region=eu for the European service.

    Raises:
        InputOutputError: PagerDuty does not accept it.
    """
    http.post_json(_service(url), event(url, message), timeout_seconds)


def event(url: str, message: Message) -> dict[str, Any]:
    """The request: https://developer.pagerduty.com/api-reference/ (Send an event)."""
    # Keys are case-sensitive, and `hostname` is lower case.
    key = _parts(url).netloc.partition("@")[0]
    if not key:
        raise InputOutputError("its URL has no integration key: pagerduty://INTEGRATION_KEY@streammetrics")
    found: dict[str, Any] = {
        "routing_key": key,
        "dedup_key": f"streammetrics-{message.key}",
        "event_action": "resolve" if message.kind == "over" else "trigger",
    }
    if message.kind != "over":
        found["payload"] = {
            "summary": message.subject[:1024],
            "source": "streammetrics",
            "severity": "critical" if message.kind == "firing" else "warning",
            "custom_details": {"text": message.body},
        }
    return found


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise InputOutputError("its URL is not valid") from None


def _service(url: str) -> str:
    region = parse_qs(_parts(url).query).get("region", ["us"])[0]
    if region not in _REGIONS:
        raise InputOutputError(f"its URL has region={region}: it must be us or eu")
    return _REGIONS[region]
