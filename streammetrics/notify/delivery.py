"""Sends waiting notices to each channel. The store is closed meanwhile, because other processes wait for it."""

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from streammetrics.config import Channel, Config
from streammetrics.detect import incidents
from streammetrics.detect.clients import Clients
from streammetrics.detect.incidents import Change, Incident
from streammetrics.errors import InputOutputError
from streammetrics.notify import address, messages, outbox, texts
from streammetrics.notify.channels import alertmanager, command, pagerduty
from streammetrics.notify.messages import ENDS, Message, Notice
from streammetrics.notify.outbox import Condition, Reported
from streammetrics.store.connection import Store
from streammetrics.store.turns import locked


@dataclass(frozen=True)
class Sender:
    """Sends notices and test notices.

    Args:
        explain: the beginning of the `explain` command.
        alive_seconds: how long an alert stays active in Alertmanager if no further run sends it.
    """

    store: Store
    config: Config
    clock: Callable[[], datetime]
    explain: str
    alive_seconds: float

    def deliver(self) -> Iterator[str]:
        """Send waiting notices. Yields a sentence for each channel that fails; the next run tries again."""
        with _sending_lock(self.store.path, self.config.store.lock_wait_seconds):
            now = self.clock()
            with self.store.write() as connection, connection.begin():
                waiting = self._waiting(connection, now)
            sent: list[Message] = []
            failures: dict[str, str] = {}
            for one in waiting:
                try:
                    for message in self._send(one, now):
                        sent.append(message)
                except InputOutputError as error:
                    failures[one.channel.name] = str(error)
                except Exception as error:
                    # A library may raise anything, and its text may contain the URL.
                    failures[one.channel.name] = f"failed with {type(error).__name__}"
            if sent or failures or any(one.dropped or one.has_failed for one in waiting):
                with self.store.write() as connection, connection.begin():
                    for one in waiting:
                        outbox.taken(connection, one.dropped, None, now)
                        if one.channel.name in failures:
                            outbox.failed(connection, one.channel.name, failures[one.channel.name], now)
                        elif one.has_failed:
                            outbox.recovered(connection, one.channel.name)
                    for message in sent:
                        outbox.taken(connection, message.notice_ids, message.key, self.clock())
        for name, failure in failures.items():
            yield f"[[channel]] {name!r}: {failure}; the next run tries again"

    def test(self) -> Iterator[tuple[str, str | None]]:
        """Send each channel a test notice; yields its name, and why it failed or None."""
        message = Message("test", "news", "[TEST] streammetrics reaches this channel", "By `notify --test`.", (), ())
        for channel in self.config.channel:
            try:
                url = address.url(self.config, channel)
                if channel.kind == "alertmanager":
                    until = self.clock() + timedelta(seconds=self.alive_seconds)
                    alertmanager.send(url, [alertmanager.test(message, self.clock(), until)], channel.timeout_seconds)
                else:
                    send(channel, url, message)
            except InputOutputError as error:
                yield channel.name, str(error)
            else:
                yield channel.name, None

    def _waiting(self, connection: Connection, now: datetime) -> "list[Waiting]":
        """What each channel should get; data for all channels are read once."""
        settings, failing = self.config.notices, set(outbox.failing_channels(connection))
        held = partial(is_held, self.config, now)
        split = [
            (channel, *messages.due_and_dropped(outbox.waiting(connection, channel.name), held))
            for channel in self.config.channel
        ]
        is_read = any(due or channel.kind == "alertmanager" for channel, due, _ in split)
        standing = incidents.open_now(connection) if is_read else []
        reported = outbox.last_reported(connection, [one.incident_id for one in standing])
        conditions = outbox.conditions(connection) if is_read else []
        return [
            Waiting(
                channel=channel,
                due=due,
                dropped=[one.notice_id for one in dropped],
                budget=settings.max_notices_per_hour - outbox.sent_last_hour(connection, channel.name, now),
                standing=standing,
                reported=reported,
                conditions=conditions,
                has_failed=channel.name in failing,
            )
            for channel, due, dropped in split
        ]

    def _send(self, waiting: "Waiting", now: datetime) -> Iterator[Message]:
        """Send what is due to one channel, and yield what it accepted."""
        channel, due, limit = waiting.channel, waiting.due, self.config.notices.storm_incidents
        if channel.kind == "alertmanager":
            self._send_state(waiting, now)
            yield from messages.grouped(due, limit, self.config.notices.report_url)
        elif due:
            url = address.url(self.config, channel)
            is_pager = url.startswith(pagerduty.SCHEME)
            link = self.config.notices.report_url
            found = (
                messages.by_key(due, limit, {one.key for one in waiting.reported.values()}, link)
                if is_pager
                else messages.grouped(due, limit, link)
            )
            for message in found[: max(0, waiting.budget)]:
                send(channel, url, message)
                yield message

    def _send_state(self, waiting: "Waiting", now: datetime) -> None:
        """Alerts of all open incidents and conditions, and of those that have ended since they were sent."""
        until = now + timedelta(seconds=self.alive_seconds)
        alerts = [alertmanager.ended(one, now) for one in waiting.due if one.change in ENDS]
        for incident in waiting.standing:
            if not is_muted_or_young(self.config, now, vars(incident)):
                found = waiting.reported.get(incident.incident_id)
                clients = None if found is None or found.clients == Clients() else found.clients
                link = self.config.notices.report_url
                text = texts.of_change(Change("opened", incident), self.explain, link, clients)
                alerts.append(alertmanager.alert(incident, until, text))
        alerts += [alertmanager.condition(one, until) for one in waiting.conditions]
        alertmanager.send(address.url(self.config, waiting.channel), alerts, waiting.channel.timeout_seconds)


@dataclass(frozen=True)
class Waiting:
    """What one channel should get.

    Args:
        dropped: numbers of notices that are never sent.
        budget: how many messages it may get now.
        standing: the open incidents; `reported`: how they were last reported, by number.
        conditions: the silent sources and the failing jobs.
        has_failed: its last delivery failed.
    """

    channel: Channel
    due: list[Notice]
    dropped: list[int]
    budget: int
    standing: list[Incident]
    reported: dict[int, Reported]
    conditions: list[Condition]
    has_failed: bool


def send(channel: Channel, url: str, message: Message) -> None:
    """Send one message by a channel without state.

    Raises:
        InputOutputError: the channel does not accept it.
    """
    if channel.kind == "command":
        command.send(channel, message)
    elif url.startswith(pagerduty.SCHEME):
        pagerduty.send(url, message, channel.timeout_seconds)
    else:
        # Importing Apprise takes longer than importing everything else.
        from streammetrics.notify.channels import apprise

        apprise.send(url, message, channel.timeout_seconds)


def is_held(config: Config, now: datetime, notice: Notice) -> bool:
    """Whether a notice must wait at `now` (naive UTC), because of its incident."""
    return notice.incident_id is not None and is_muted_or_young(config, now, notice.fields)


def is_muted_or_young(config: Config, now: datetime, incident: Mapping[str, Any]) -> bool:
    """Whether an incident (columns by name) is muted at `now` (naive UTC), or has not been open for long enough."""
    names = (incident["rule"], incident["code"], incident["baseline"], incident["candidate"])
    if any(mute.covers(*names) and not mute.is_over(now) for mute in config.mute):
        return True
    wait = timedelta(seconds=config.notices.for_seconds)
    # With for_seconds = 0 nothing is held back, even if records are ahead of the clock.
    return bool(wait) and now < datetime.fromisoformat(str(incident["opened_ts"])) + wait


@contextmanager
def _sending_lock(store: Path, wait_seconds: float) -> Iterator[None]:
    """Only one process sends at a time: two would send the same notices. The lock ends with the process."""
    path = Path(f"{store}.notices")
    try:
        lock = path.open("ab")
    except OSError as error:
        raise InputOutputError(f"{path}: {error.strerror}") from None
    with lock:
        deadline = time.monotonic() + wait_seconds
        while not locked(lock.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise InputOutputError(f"{path}: another process has been sending notices for {wait_seconds:g} s")
            time.sleep(0.05)
        yield
