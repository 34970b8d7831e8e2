"""What channels get of what was kept, and what stays for the next run."""

import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.config import Channel, Config, Mute, NoticeSettings, StoreSettings
from streammetrics.detect.clients import Clients
from streammetrics.detect.incidents import Change
from streammetrics.detect.new_codes import NewCode, NewCodes
from streammetrics.errors import InputOutputError
from streammetrics.notify import delivery, outbox
from streammetrics.store.connection import Store
from tests.notify.requests_taken import Server, server
from tests.notify.test_texts import EXPLAIN, INCIDENT, NOON

HOOK = "hook"


@dataclass
class Post:
    """A store, a channel of a command that appends to a file, and a clock."""

    folder: Path
    now: datetime = NOON + timedelta(hours=1)
    keys: dict[str, Any] = field(default_factory=dict)

    @property
    def script(self) -> Channel:
        words = f"test ! -e {self.folder}/broken && cat >> {self.folder}/got"
        return Channel(name=HOOK, kind="command", command=("sh", "-c", words))

    @property
    def config(self) -> Config:
        keys = {"store": StoreSettings(path="s.duckdb"), "channel": (self.script,), **self.keys}
        return Config(base=self.folder, **keys)

    @property
    def store(self) -> Store:
        return Store(self.config.store_path)

    def keep(self, *changes: Change) -> None:
        names = [channel.name for channel in self.config.channel]
        with self.store.write() as connection, connection.begin():
            outbox.keep(connection, self.config, names, changes, [], EXPLAIN, self.now)

    def deliver(self, minutes: float = 0) -> list[str]:
        self.now += timedelta(minutes=minutes)
        return list(delivery.Sender(self.store, self.config, lambda: self.now, EXPLAIN, 300).deliver())

    @property
    def subjects(self) -> list[str]:
        path = self.folder / "got"
        return [json.loads(line)["subject"] for line in path.read_text().splitlines()] if path.exists() else []

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def change(kind: str, number: int = 1, **columns: Any) -> Change:
    return Change(kind, replace(INCIDENT, incident_id=number, code=f"E{number}", **columns))


def test_each_change_is_sent_once(post: Post) -> None:
    post.keep(change("opened"))
    assert post.deliver() == post.deliver() == []
    post.keep(change("resolved"))
    post.deliver(1)
    assert post.subjects == ["[FIRING] code E1 x3.23 in 5.10", "[RESOLVED] code E1 x3.23 in 5.10"]
    sent = post.rows("select change, incident_id, notice_key, is_held_back from notices where taken_at is not null")
    assert sent == [("opened", 1, "incident-1", False), ("resolved", 1, "incident-1", False)]


def test_new_codes_are_sent_where_they_are_set_and_in_one_notice(post: Post) -> None:
    code = NewCode("E_NEW", NOON, 0, 12, 9)
    found = [NewCodes("5.9", candidate, 1, (code,)) for candidate in ("5.10", "5.11")]
    for is_set in (False, True):
        post.keys["notices"] = NoticeSettings(new_codes=is_set)
        with post.store.write() as connection, connection.begin():
            outbox.keep(connection, post.config, [HOOK], [], found, EXPLAIN, post.now)
        assert post.deliver() == []
        assert len(post.subjects) == is_set
    lines = (post.folder / "got").read_text().splitlines()
    assert [one["candidate"] for one in json.loads(lines[0])["changes"]] == ["5.10", "5.11"]


def test_a_channel_that_fails_gets_it_from_the_next_run(post: Post) -> None:
    (post.folder / "broken").touch()
    post.keep(change("opened"))
    expected = "sh: exit code 1"
    assert post.deliver() == [f"[[channel]] 'hook': {expected}; the next run tries again"]
    failing = "select channel, failed_since, error from failing_channels"
    assert post.rows(failing) == [(HOOK, post.now, expected)]
    began = post.now
    post.deliver(1)
    assert post.rows("select min(failed_since) from failing_channels") == [(began,)]
    (post.folder / "broken").unlink()
    assert post.deliver(1) == []
    assert len(post.subjects) == 1
    assert post.rows(failing) == []


def test_a_channel_that_fails_keeps_no_other_from_its_notices(post: Post) -> None:
    lost = Channel(name="lost", kind="apprise", url_env="NO_SUCH_VARIABLE")
    post.keys["channel"] = (lost, post.script)
    post.keep(change("opened"))
    assert [text.split(":")[0] for text in post.deliver()] == ["[[channel]] 'lost'"]
    assert len(post.subjects) == 1


def test_a_crash_after_sending_repeats_it_once_under_the_same_key(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.keep(change("opened"))
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "taken", crash)
        with pytest.raises(KeyboardInterrupt):
            post.deliver()
    assert len(post.subjects) == 1
    post.keep(change("opened", 2))
    post.deliver(1)
    post.deliver(1)
    got = [json.loads(line) for line in (post.folder / "got").read_text().splitlines()]
    assert [one["key"] for one in got] == ["notice-1", "notice-1"]
    assert [len(one["changes"]) for one in got] == [1, 2]


def crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_mute_holds_notices_back_until_it_ends(post: Post) -> None:
    until = post.now + timedelta(minutes=30)
    post.keys["mute"] = (Mute(code="E1", until=until, reason="known"),)
    post.keep(change("opened"), change("opened", 2))
    post.deliver()
    assert post.subjects == ["[FIRING] code E2 x3.23 in 5.10"]
    post.deliver(29)
    assert len(post.subjects) == 1
    post.deliver(1)
    assert post.subjects[1:] == ["[FIRING] code E1 x3.23 in 5.10"]


def test_what_ends_while_it_is_muted_is_never_sent(post: Post) -> None:
    post.keys["mute"] = (Mute(candidate="5.1*", until=post.now + timedelta(hours=9), reason="known"),)
    post.keep(change("opened"))
    post.deliver()
    post.keep(change("resolved"))
    post.deliver(1)
    post.deliver(600)
    assert post.subjects == []
    assert post.rows("select change, is_held_back from notices order by 1") == [("opened", True), ("resolved", True)]


def test_what_was_sent_before_its_mute_is_ended(post: Post) -> None:
    post.keep(change("opened"))
    post.deliver()
    post.keys["mute"] = (Mute(code="*", until=post.now + timedelta(hours=9), reason="known"),)
    post.keep(change("worse"))
    post.deliver(1)
    assert len(post.subjects) == 1
    post.keep(change("resolved"))
    post.deliver(1)
    assert post.subjects[1:] == ["[RESOLVED] code E1 x3.23 in 5.10"]


@pytest.mark.parametrize("url", ["pagerduty://[K@x", "json://[hunter2"])
def test_whatever_a_channel_raises_the_others_get_their_notices(
    post: Post, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URL", url)
    post.keys["channel"] = (Channel(name="lost", kind="apprise", url_env="URL"), post.script)
    post.keep(change("opened"))
    [failure] = post.deliver()
    assert failure.startswith("[[channel]] 'lost': ")
    assert "hunter2" not in failure
    assert len(post.subjects) == 1


def test_an_error_of_a_library_is_named_by_its_kind(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "send", raising)
    post.keep(change("opened"))
    assert post.deliver() == ["[[channel]] 'hook': failed with RuntimeError; the next run tries again"]


def raising(*_: object) -> None:
    raise RuntimeError("https://hunter2@example.org")


def test_one_process_sends_at_a_time(post: Post) -> None:
    post.keep(change("opened"))
    post.keys["store"] = StoreSettings(path="s.duckdb", lock_wait_seconds=0.1)
    with (post.folder / "s.duckdb.notices").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InputOutputError, match="another process has been sending notices"):
            post.deliver()
    assert post.subjects == []


def test_an_incident_is_sent_when_it_is_open_for_long_enough(post: Post) -> None:
    post.keys["notices"] = NoticeSettings(for_seconds=600)
    post.keep(change("opened", 1, opened_ts=post.now), change("opened", 2, opened_ts=post.now))
    post.deliver(9)
    assert post.subjects == []
    post.keep(change("resolved", 2))
    post.deliver()
    post.deliver(1)
    assert post.subjects == ["[FIRING] code E1 x3.23 in 5.10"]


def test_an_incident_ahead_of_the_clock_is_sent(post: Post) -> None:
    post.keep(change("opened", 1, opened_ts=post.now + timedelta(hours=5)))
    post.deliver()
    assert len(post.subjects) == 1


def test_a_storm_is_one_notice_and_each_incident_keeps_its_row(post: Post) -> None:
    post.keep(*(change("opened", number) for number in range(1, 41)))
    post.deliver()
    [subject] = post.subjects
    assert subject.startswith("[STORM] 40 codes increased in 5.10, most of all ")
    assert post.rows("select count(*), count(distinct notice_key), any_value(notice_key) from notices") == [
        (40, 1, "storm-1")
    ]


def test_so_many_notices_an_hour_and_then_one_of_the_rest(post: Post) -> None:
    post.keys["notices"] = NoticeSettings(max_notices_per_hour=3)
    for number in range(1, 11):
        post.keep(change("opened", number))
        post.deliver(1)
    assert len(post.subjects) == 3
    post.deliver(60)
    assert len(post.subjects) == 4
    assert post.subjects[3].startswith("[STORM] 7 codes")
    assert post.deliver(1) == []
    assert len(post.subjects) == 4


@pytest.fixture
def taken() -> Iterator[Server]:
    with server() as found:
        yield found


def test_a_pager_gets_each_incident_by_its_key(post: Post, taken: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streammetrics.notify.channels.pagerduty._REGIONS", {"us": taken.url})
    monkeypatch.setenv("PAGER", "pagerduty://KEY@x")
    post.keys["channel"] = (Channel(name="pager", kind="apprise", url_env="PAGER"),)
    post.keep(change("opened"), change("opened", 2))
    post.deliver()
    post.keep(change("resolved", 2))
    post.deliver(1)
    found = [(body["dedup_key"], body["event_action"]) for _, body in taken.taken]
    assert found == [
        ("streammetrics-incident-1", "trigger"),
        ("streammetrics-incident-2", "trigger"),
        ("streammetrics-incident-2", "resolve"),
    ]


def test_conditions_of_feeds_and_jobs_are_sent_when_they_begin_and_end(post: Post) -> None:
    for current in ({}, {"feed-a": "no record newer than noon"}, {"feed-a": "the same", "job-run": "3 failed"}, {}, {}):
        with post.store.write() as connection, connection.begin():
            outbox.keep_conditions(connection, [outbox.STDOUT, HOOK], current, post.now)
        post.deliver(1)
    assert post.subjects == [
        "[SILENT] feed a: no record newer than noon",
        "[FAILING] job run: 3 failed",
        "[BACK] feed a: is no longer silent, and 1 more change",
    ]
    printed = post.rows("select text from notices where channel = 'stdout' order by notice_id")
    assert printed[0] == ("SILENT    feed a: no record newer than noon",)
    assert len(printed) == 4


def test_what_began_and_ended_in_one_run_ends_on_a_pager(
    post: Post, taken: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streammetrics.notify.channels.pagerduty._REGIONS", {"us": taken.url})
    monkeypatch.setenv("PAGER", "pagerduty://KEY@x")
    post.keys["channel"] = (Channel(name="pager", kind="apprise", url_env="PAGER"), post.script)
    post.keep(change("opened", state="resolved"))
    post.deliver()
    assert [body["event_action"] for _, body in taken.taken] == ["resolve"]
    [subject] = post.subjects
    assert subject == "[RESOLVED] code E1 x3.23 in 5.10"


def test_a_test_notice(post: Post) -> None:
    lost = Channel(name="lost", kind="apprise", url_env="NO_SUCH_VARIABLE")
    post.keys["channel"] = (lost, post.script)
    found = dict(delivery.Sender(post.store, post.config, lambda: post.now, EXPLAIN, 300).test())
    assert found["hook"] is None
    assert "NO_SUCH_VARIABLE" in str(found["lost"])
    assert post.subjects == ["[TEST] streammetrics reaches this channel"]


def test_alertmanager_gets_the_text_with_clients(post: Post, taken: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS", taken.url)
    post.keys["channel"] = (Channel(name="am", kind="alertmanager", url_env="ALERTS"),)
    opened, unknown = change("opened"), change("opened", 2)
    monkeypatch.setattr("streammetrics.detect.clients.of_changes", lambda *_: {1: Clients(41, 340)})
    post.keep(opened, unknown)
    monkeypatch.setattr("streammetrics.detect.incidents.open_now", lambda _: [opened.incident, unknown.incident])
    post.deliver()
    post.keep(change("resolved"))
    monkeypatch.setattr("streammetrics.detect.incidents.open_now", lambda _: [unknown.incident])
    post.deliver(1)
    (_, both), (_, (ended, other)) = taken.taken
    words = "130 -> 420 errors (x3.23, 2.6 to 4.01)\nclients: 41 -> 340\nsince 2026-11-23 12:00:00 UTC, 5.9 -> 5.10\n"
    assert both[0]["annotations"]["description"].startswith(words)
    assert ended["labels"] == both[0]["labels"]
    assert ended["annotations"]["summary"] == both[0]["annotations"]["summary"] == "code E1 x3.23 in 5.10"
    assert "\nclients: 41 -> 340\n" in ended["annotations"]["description"]
    assert both[1] == {**other, "endsAt": both[1]["endsAt"]}
    assert "clients" not in other["annotations"]["description"]
