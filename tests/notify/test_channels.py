"""Each channel, as a real server or program on loopback takes it."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from streammetrics.config import Channel, Config, Heartbeat
from streammetrics.detect.incidents import Change
from streammetrics.errors import InputOutputError
from streammetrics.notify import address, delivery, heartbeat, texts
from streammetrics.notify.channels import alertmanager, pagerduty
from streammetrics.notify.messages import Message, Notice
from tests.notify import alertmanager_server
from tests.notify.requests_taken import Server, server
from tests.notify.test_texts import EXPLAIN, INCIDENT

MESSAGE = Message("incident-3", "firing", "[FIRING] code 7 x3", "10 -> 30 errors\nsince noon", ({"code": "7"},), (1,))
SECRET = "hunter2"  # noqa: S105


@pytest.fixture
def taken() -> Iterator[Server]:
    with server() as found:
        yield found


def channel(**keys: Any) -> Channel:
    return Channel(**{"name": "test", "kind": "apprise", "url_env": "URL", **keys})


def test_a_command_gets_json(tmp_path: Path) -> None:
    command = channel(kind="command", url_env=None, command=["sh", "-c", f"cat > {tmp_path / 'got.json'}"])
    delivery.send(command, "", MESSAGE)
    assert json.loads((tmp_path / "got.json").read_text()) == {
        "key": "incident-3",
        "kind": "firing",
        "subject": "[FIRING] code 7 x3",
        "body": "10 -> 30 errors\nsince noon",
        "changes": [{"code": "7"}],
        "notice_ids": [1],
    }


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sh", "-c", "cat >/dev/null; echo no room >&2; exit 3"], "sh: exit code 3: no room"),
        (["/nowhere/page"], "/nowhere/page: No such file or directory"),
        (["sleep", "30"], "sleep: took longer than 0.2 s"),
    ],
)
def test_a_command_that_fails(command: list[str], message: str) -> None:
    with pytest.raises(InputOutputError) as caught:
        delivery.send(channel(kind="command", url_env=None, command=command, timeout_seconds=0.2), "", MESSAGE)
    assert str(caught.value) == message


def test_a_process_that_a_command_leaves_behind_is_not_awaited() -> None:
    command = ["sh", "-c", "sleep 20 & exit 0"]
    started = time.monotonic()
    delivery.send(channel(kind="command", url_env=None, command=command, timeout_seconds=15), "", MESSAGE)
    assert time.monotonic() - started < 10


def test_apprise_sends_subject_and_text(taken: Server) -> None:
    delivery.send(channel(), taken.url.replace("http://", "json://"), MESSAGE)
    [(_, body)] = taken.taken
    assert (body["title"], body["message"], body["type"]) == (MESSAGE.subject, MESSAGE.body, "failure")


@pytest.mark.slow
def test_apprise_does_not_block_a_process() -> None:
    """Two services in one URL that never answer: neither is awaited, also not at the end of the process."""
    script = (
        "import sys; from streammetrics.config import Channel; from streammetrics.notify import delivery;"
        "from tests.notify.test_channels import MESSAGE;"
        "delivery.send(Channel(name='a', kind='apprise', url='json://x', timeout_seconds=1), sys.argv[1], MESSAGE)"
    )
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=30"
        command = [sys.executable, "-c", script, f"{url}, {url}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.endswith("InputOutputError: took longer than 1 s\n")
    assert time.monotonic() - started < 15


def test_apprise_fails_without_its_url(taken: Server) -> None:
    taken.answer = 503
    url = taken.url.replace("http://", f"json://user:{SECRET}@")
    for bad in (url, f"nosuchservice://{SECRET}"):
        with pytest.raises(InputOutputError) as caught:
            delivery.send(channel(), bad, MESSAGE)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("kind", "action"), [("firing", "trigger"), ("news", "trigger"), ("over", "resolve")])
def test_pagerduty_gets_the_key_of_the_incident(
    taken: Server, monkeypatch: pytest.MonkeyPatch, kind: Any, action: str
) -> None:
    monkeypatch.setattr(pagerduty, "_REGIONS", {"us": taken.url, "eu": "http://127.0.0.1:1"})
    delivery.send(channel(), "pagerduty://AbC123@streammetrics", replace(MESSAGE, kind=kind))
    [(_, body)] = taken.taken
    assert (body["routing_key"], body["dedup_key"], body["event_action"]) == (
        "AbC123",
        "streammetrics-incident-3",
        action,
    )
    if kind == "firing":
        assert body["payload"]["summary"] == MESSAGE.subject
        assert (body["payload"]["severity"], body["payload"]["source"]) == ("critical", "streammetrics")


def test_pagerduty_fails_with_the_answer_and_without_the_key(taken: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagerduty, "_REGIONS", {"us": taken.url})
    taken.answer = 429
    with pytest.raises(InputOutputError, match=r"^HTTP 429$"):
        delivery.send(channel(), "pagerduty://AbC123", MESSAGE)
    for url in ("pagerduty://", "pagerduty://AbC123?region=moon"):
        with pytest.raises(InputOutputError) as caught:
            delivery.send(channel(), url, MESSAGE)
        assert "AbC123" not in str(caught.value)


def test_an_address_from_the_environment_or_a_file(tmp_path: Path) -> None:
    config = Config(base=tmp_path)
    (tmp_path / "url").write_text("json://b\n")
    assert address.url(config, channel(), {"URL": " json://a "}) == "json://a"
    assert address.url(config, channel(url_env=None, url_file="url")) == "json://b"
    (tmp_path / "url").write_text("\n")
    for keys, message in (
        ({}, "url_env: there is no environment variable URL, or it is empty"),
        ({"url_env": None, "url_file": "no"}, f"url_file: {tmp_path / 'no'}: No such file or directory"),
        ({"url_env": None, "url_file": "url"}, f"url_file: {tmp_path / 'url'}: is empty"),
    ):
        with pytest.raises(InputOutputError) as caught:
            address.url(config, channel(**keys), {})
        assert str(caught.value) == message


def test_a_url_is_not_shown_with_the_settings() -> None:
    assert SECRET not in repr(channel(url_env=None, url=f"json://{SECRET}@x"))


@pytest.mark.parametrize(("code", "path"), [(0, "/a/0"), (74, "/a/74"), (75, "/a/0"), (3, "/a/0"), (143, "/a/0")])
def test_a_heartbeat_has_the_exit_code(taken: Server, code: int, path: str) -> None:
    heartbeat.beat(Config(heartbeat=Heartbeat(run=SecretStr(f"{taken.url}/a/"))), "run", code)
    heartbeat.beat(Config(heartbeat=Heartbeat(run=SecretStr(f"{taken.url}/a/"))), "detect", code)
    assert taken.taken == [(path, None)]


def test_an_answer_that_repeats_the_url_is_not_shown(taken: Server) -> None:
    taken.answer = 404
    with pytest.raises(InputOutputError, match=r"^heartbeat.run: HTTP 404$"):
        heartbeat.beat(Config(heartbeat=Heartbeat(run=SecretStr(f"{taken.url}/{SECRET}"))), "run", 0)


def test_a_heartbeat_that_fails_names_its_key() -> None:
    config = Config(heartbeat=Heartbeat(run=SecretStr(f"http://user:{SECRET}@127.0.0.1:1/")))
    with pytest.raises(InputOutputError) as caught:
        heartbeat.beat(config, "run", 0)
    assert str(caught.value).startswith("heartbeat.run: cannot be reached: ")
    assert SECRET not in str(caught.value)


@pytest.mark.slow
def test_a_real_alertmanager(tmp_path: Path, taken: Server) -> None:
    """One notice when an incident opens, none when it is sent again, one when it is over or its job has died."""
    text = texts.of_change(Change("opened", INCIDENT), EXPLAIN, None)
    with alertmanager_server.alertmanager(tmp_path, taken.url) as real:

        def post(seconds: float, code: str = "7") -> None:
            until = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=seconds)
            alertmanager.send(real.url, [alertmanager.alert(replace(INCIDENT, code=code), until, text)], 10)

        post(60)
        post(60)
        post(1.5, "dies")
        wait(lambda: len(taken.taken) >= 3)
        fields = json.dumps({**vars(INCIDENT), "code": "7"}, default=str)
        over = Notice(1, "resolved", 3, "7", "[RESOLVED] code 7 x3\n10 -> 30 errors", fields, "incident-3")
        alertmanager.send(real.url, [alertmanager.ended(over, datetime.now(UTC).replace(tzinfo=None))], 10)
        wait(lambda: len(taken.taken) >= 4)
        time.sleep(2)
    found = sorted((body["commonLabels"]["code"], body["status"]) for _, body in taken.taken)
    assert found == [("7", "firing"), ("7", "resolved"), ("dies", "firing"), ("dies", "resolved")]
    assert taken.taken[0][1]["alerts"][0]["annotations"]["summary"] == text.summary
    resolved = {"summary": "code 7 x3", "description": "10 -> 30 errors"}
    assert resolved in [body["alerts"][0]["annotations"] for _, body in taken.taken]


def wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
