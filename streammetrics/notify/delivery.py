"""Sends to each channel what it has not taken. The store is open only before and after, for others wait for it."""

import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from streammetrics.config import Channel, Config
from streammetrics.detect import incidents
from streammetrics.detect.incidents import Change, Incident
from streammetrics.errors import InputOutputError
from streammetrics.notify import address, messages, outbox, texts
from streammetrics.notify.channels import alertmanager, command, pagerduty
from streammetrics.notify.messages import ENDS, Message, Notice
from streammetrics.notify.outbox import Condition
from streammetrics.store.connection import Store


@dataclass(frozen=True)
class Sender:
    """What deliveries have in common.

    Args:
        explain: the command that begins an explanation.
        alive_seconds: for how long an alert of Alertmanager lives that no further run sends again.
    """

    store: Store
    config: Config
    clock: Callable[[], datetime]
    explain: str
    alive_seconds: float

    def deliver(self) -> Iterator[str]:
        """Send what waits. Yields a sentence for each channel that fails: the next run tries again."""
        with _alone(self.config.store_path):
            for channel in self.config.channel:
                try:
                    self._deliver(channel)
                except InputOutputError as error:
                    with self.store.write() as connection, connection.begin():
                        outbox.failed(connection, channel.name, str(error))
                    yield f"[[channel]] {channel.name!r}: {error}; the next run tries again"

    def test(self) -> Iterator[tuple[str, str | None]]:
        """Send each channel a test notice; yields its name, and why it failed or None."""
        message = Message("test", "news", "[TEST] streammetrics reaches this channel", "By `notify --test`.", (), ())
        for channel in self.config.channel:
            try:
                url = "" if channel.kind == "command" else address.url(self.config, channel)
                if channel.kind == "alertmanager":
                    until = self.clock() + timedelta(seconds=self.alive_seconds)
                    alertmanager.send(url, [alertmanager.test(message, self.clock(), until)], channel.timeout_seconds)
                else:
                    send(channel, url, message)
            except InputOutputError as error:
                yield channel.name, str(error)
            else:
                yield channel.name, None

    def _deliver(self, channel: Channel) -> None:
        now, is_state = self.clock(), channel.kind == "alertmanager"
        with self.store.write() as connection, connection.begin():
            waiting = outbox.waiting(connection, channel.name)
            if not (waiting or is_state):
                return
            due, dropped = messages.sort_out(waiting, lambda one: is_held(self.config, json.loads(one.json), now))
            outbox.taken(connection, [one.notice_id for one in dropped], None, now)
            standing = incidents.open_now(connection)
            open_keys = set(outbox.keys_of(connection, [one.incident_id for one in standing]).values())
            trouble = outbox.conditions(connection)
            settings = self.config.notices
            budget = settings.max_notices_per_hour - outbox.sent_last_hour(connection, channel.name, now)
        if is_state:
            self._send_state(channel, standing, trouble, due, now)
            return
        url = "" if channel.kind == "command" else address.url(self.config, channel)
        is_pager = url.startswith(pagerduty.SCHEME)
        found = (
            messages.by_key(due, settings.storm_incidents, open_keys)
            if is_pager
            else messages.together(due, settings.storm_incidents)
        )
        for message in found[: max(0, budget)]:
            send(channel, url, message)
            self._take(message.notice_ids, message.key)

    def _send_state(
        self,
        channel: Channel,
        standing: Sequence[Incident],
        trouble: Sequence[Condition],
        due: Sequence[Notice],
        now: datetime,
    ) -> None:
        """Everything that stands now, and what has ended since the channel took it."""
        report_url = self.config.notices.report_url
        until = now + timedelta(seconds=self.alive_seconds)
        alerts = [alertmanager.ended(json.loads(one.json), now) for one in due if one.change in ENDS]
        for incident in standing:
            if not is_held(self.config, vars(incident), now):
                text = texts.of_change(Change("opened", incident), self.explain, report_url)
                alerts.append(alertmanager.alert(incident, until, text))
        alerts += [alertmanager.trouble(one, until) for one in trouble]
        alertmanager.send(address.url(self.config, channel), alerts, channel.timeout_seconds)
        if due:
            self._take([one.notice_id for one in due], f"notice-{due[0].notice_id}")

    def _take(self, notice_ids: Sequence[int], key: str) -> None:
        with self.store.write() as connection, connection.begin():
            outbox.taken(connection, notice_ids, key, self.clock())


def send(channel: Channel, url: str, message: Message) -> None:
    """Send one message by a channel that holds no state.

    Raises:
        InputOutputError: the channel does not take it.
    """
    if channel.kind == "command":
        command.send(channel, message)
    elif url.startswith(pagerduty.SCHEME):
        pagerduty.send(url, message, channel.timeout_seconds)
    else:
        # Apprise takes longer to import than all of the rest.
        from streammetrics.notify.channels import apprise

        apprise.send(url, message)


def is_held(config: Config, change: dict[str, Any], now: datetime) -> bool:
    """Whether an incident is muted at `now` (naive UTC), or not open for long enough; its columns by name."""
    if "rule" not in change:
        return False
    names = (change["rule"], change["code"], change["baseline"], change["candidate"])
    if any(mute.covers(*names) and not mute.is_over(now) for mute in config.mute):
        return True
    wait = timedelta(seconds=config.notices.for_seconds)
    opened = change["opened_ts"]
    # Without a wait nothing is held, also where records are ahead of the clock.
    return bool(wait) and now < (opened if isinstance(opened, datetime) else datetime.fromisoformat(opened)) + wait


@contextmanager
def _alone(store: Path) -> Iterator[None]:
    """One process sends at a time: two would send the same. The system frees the lock however a process ends."""
    try:
        with Path(f"{store}.notices").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise InputOutputError(f"{store}.notices: {error.strerror}") from None
