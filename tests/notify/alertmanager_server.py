"""A real Alertmanager on loopback that sends what it notifies of to a webhook, and ends with the test."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.programs import program

_CONFIG = """
route: {{receiver: hook, group_by: [alertname, code, baseline, candidate, rule], group_wait: 1ms, group_interval: 1s,
  repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{hook}/hook", send_resolved: true}}]}}]
"""


@dataclass(frozen=True)
class Alertmanager:
    url: str

    def alerts(self) -> list[dict[str, Any]]:
        """What it holds."""
        with urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:  # noqa: S310
            found: list[dict[str, Any]] = json.load(answer)
            return found


@contextmanager
def alertmanager(folder: Path, hook: str) -> Iterator[Alertmanager]:
    """`hook` is the webhook's URL."""
    path = program("prometheus-alertmanager", "prometheus-alertmanager")
    (config := folder / "alertmanager.yml").write_text(_CONFIG.format(hook=hook))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [path, f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address="]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    found = Alertmanager(f"http://127.0.0.1:{port}")
    try:
        _wait_until_ready(found, process)
        yield found
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(found: Alertmanager, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            found.alerts()
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Alertmanager does not start")
