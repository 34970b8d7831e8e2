"""The table `notices`: a row per change and channel, marked when the channel took it.

A change is stored in one transaction and sent afterwards. What could not be sent is sent by the next run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.detect import clients
from streammetrics.detect.clients import Clients
from streammetrics.detect.incidents import Change, Incident
from streammetrics.detect.new_codes import NewCodes
from streammetrics.notify import texts
from streammetrics.notify.messages import BEGINNINGS, OPENINGS, Notice
from streammetrics.report import wording
from streammetrics.runtime import terminal
from streammetrics.store.statements import run

STDOUT = "stdout"
"""The channel of `run`'s output: a terminal, or the mail that cron sends."""
NEW_CODES = "new_codes"


@dataclass(frozen=True)
class Reported:
    """How an incident was last reported: the key, and its clients at that time."""

    key: str
    clients: Clients


@dataclass(frozen=True)
class Condition:
    """A silent source or failing job that was reported and has not ended; `key`: feed-NAME or job-NAME."""

    key: str
    text: str
    since_ts: datetime


def keep(
    connection: Connection,
    config: Config,
    channels: Iterable[str],
    changed: Sequence[Change],
    found: Sequence[NewCodes],
    explain: str,
    now: datetime,
) -> None:
    """Store the notices to send, in the caller's transaction.

    Args:
        channels: names of channels; stdout always gets new codes, other channels if the settings say so.
        explain: the beginning of the `explain` command, with its --config.
        now: naive UTC.
    """
    keys = _keys(connection, changed, config.notices.storm_incidents)
    counts = clients.of_changes(connection, config, changed)
    for channel in channels:
        for one in changed if channel == STDOUT else _with_ends(changed):
            number = one.incident.incident_id
            sent_by = counts.get(number)
            text = (
                wording.change_line(one)
                if channel == STDOUT
                else texts.of_change(one, explain, config.notices.report_url, sent_by)
            )
            fields = _fields(one, sent_by or Clients())
            _insert(connection, channel, one.change, str(text), fields, keys[number], now, one.incident)
        if channel == STDOUT or config.notices.new_codes:
            for new, line in zip(found, wording.new_code_lines(found), strict=True):
                _insert(connection, channel, NEW_CODES, line, {"change": NEW_CODES, **vars(new)}, None, now)


def keep_conditions(connection: Connection, channels: Sequence[str], current: Mapping[str, str], now: datetime) -> None:
    """Store which conditions began and which ended, in the caller's transaction.

    Args:
        current: what is wrong now, as text by key (feed-NAME or job-NAME).
    """
    standing = {one.key for one in conditions(connection)}
    begun = [(key, _BEGUN[_kind(key)], text) for key, text in current.items() if key not in standing]
    ended = [(key, *_ENDED[_kind(key)]) for key in sorted(standing - set(current))]
    for key, change, text in [*begun, *ended]:
        kind, name = _kind(key), key.partition("-")[2]
        word = change.partition("_")[2].upper()
        for channel in channels:
            tag = f"{word:<9}" if channel == STDOUT else f"[{word}]"
            line = f"{tag} {kind} {terminal.printable(name)}: {text}"
            _insert(connection, channel, change, line, {"change": change, kind: name, "text": text}, key, now)


_BEGUN = {"feed": "feed_silent", "job": "job_failing"}
_ENDED = {"feed": ("feed_back", "is no longer silent"), "job": ("job_recovered", "its runs no longer fail")}


def _kind(key: str) -> str:
    return key.partition("-")[0]


def conditions(connection: Connection) -> list[Condition]:
    """The conditions that were reported and have not ended."""
    return [Condition(*row) for row in run(connection, "reports/standing_conditions")]


def waiting(connection: Connection, channel: str) -> list[Notice]:
    """The waiting notices of a channel, oldest first."""
    return [Notice(*row) for row in run(connection, "reports/waiting_notices", {"channel": channel})]


def last_reported(connection: Connection, incident_ids: Sequence[int]) -> dict[int, Reported]:
    """How incidents were last reported, by number; those never reported are left out."""
    if not incident_ids:
        return {}
    found = run(connection, "reports/last_reported", {"incidents": list(incident_ids)})
    return {number: Reported(key, Clients(*counts)) for number, key, *counts in found}


def sent_last_hour(connection: Connection, channel: str, now: datetime) -> int:
    """How many messages a channel has accepted within the hour before `now` (naive UTC)."""
    since = {"channel": channel, "since": now - timedelta(hours=1)}
    return int(run(connection, "reports/sent_messages", since).scalar_one())


def taken(connection: Connection, notice_ids: Iterable[int], key: str | None, now: datetime) -> None:
    """Mark notices as sent in the message `key`, or as dropped if it is None; in the caller's transaction."""
    changed = {"notices": list(notice_ids), "key": key, "held_back": key is None, "now": now}
    run(connection, "jobs/take_notices", changed)


def failing_channels(connection: Connection) -> list[str]:
    """The channels whose last delivery failed."""
    return [row.channel for row in run(connection, "reports/failing_channels")]


def failed(connection: Connection, channel: str, error: str, now: datetime) -> None:
    """Record why a channel fails, in the caller's transaction."""
    run(connection, "jobs/keep_failing_channel", {"channel": channel, "since": now, "error": error})


def recovered(connection: Connection, channel: str) -> None:
    """Record that a channel works again; in the caller's transaction."""
    connection.exec_driver_sql("delete from failing_channels where channel = $channel", {"channel": channel})


def _keys(connection: Connection, changed: Sequence[Change], storm_incidents: int) -> dict[int, str]:
    """The key of each incident: the former key; incidents of a storm get a common key."""
    numbers = [one.incident.incident_id for one in changed]
    found = {number: f"incident-{number}" for number in numbers}
    found.update((number, one.key) for number, one in last_reported(connection, numbers).items())
    opened = [one.incident.incident_id for one in changed if one.change in OPENINGS]
    if len(opened) > storm_incidents:
        found.update(dict.fromkeys(opened, f"storm-{min(opened)}"))
    return found


def _with_ends(changed: Sequence[Change]) -> Iterator[Change]:
    """An incident that began and ended within one pass is both changes: a pager with only the beginning would wait."""
    for one in changed:
        yield one
        if one.change in BEGINNINGS and one.incident.state != "open":
            yield replace(one, change=one.incident.state, again=None)


def _insert(
    connection: Connection,
    channel: str,
    change: str,
    text: str,
    fields: Mapping[str, object],
    key: str | None,
    now: datetime,
    incident: Incident | None = None,
) -> None:
    number, code = (None, None) if incident is None else (incident.incident_id, incident.code)
    row = {"channel": channel, "change": change, "incident": number, "key": key, "code": code, "text": text}
    run(connection, "jobs/keep_notice", {**row, "json": terminal.as_json(fields), "now": now})


def _fields(change: Change, sent_by: Clients) -> dict[str, object]:
    """A change in JSON: the fields of its incident, then its own, and its clients."""
    fields = {"change": change.change, **vars(change.incident), **vars(change)}
    del fields["incident"]
    return fields | {"baseline_clients": sent_by.baseline, "candidate_clients": sent_by.candidate}
