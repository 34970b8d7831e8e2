"""vmalert with VictoriaMetrics on 127.0.0.1: `vmalert -replay.timeFrom`, which evaluates rules over stored series.

https://docs.victoriametrics.com/vmalert/#rules-backfilling describes it. Each minute reads what came before it.
"""

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from bench.peers.events import Events
from bench.peers.judge import MINUTE, Incident, merged
from bench.peers.programs import program, series

RULES = Path(__file__).with_name("rules.yml")
_FIRING = quote('ALERTS{alertstate="firing"}')


def prepare() -> None:
    for name in ("victoria-metrics", "vmalert"):
        program(name, "victoria-metrics")


def alerts(events: Events) -> list[Incident]:
    start = int(events.start.replace(tzinfo=UTC).timestamp())
    samples = [
        f"{name} {value} {1000 * (start + MINUTE * minute)}"
        for name, values in series(events).items()
        for minute, value in enumerate(values)
    ]
    with tempfile.TemporaryDirectory() as folder, _database(folder) as address:
        _ask(address, "/api/v1/import/prometheus", "\n".join([*samples, ""]))
        _ask(address, "/internal/force_flush")
        _replay(f"http://{address}", start, start + events.seconds)
        _ask(address, "/internal/force_flush")
        found = [json.loads(line) for line in _ask(address, f"/api/v1/export?match[]={_FIRING}").splitlines()]
    firing = {one["metric"]["code"]: [at // 1000 - start for at in one["timestamps"]] for one in found}
    return merged(firing, MINUTE, events.seconds)


def _replay(url: str, since: int, until: int) -> None:
    times = {"From": since + MINUTE, "To": until}
    spans = [f"-replay.time{name}={datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}" for name, at in times.items()]
    urls = [f"-datasource.url={url}", f"-remoteWrite.url={url}", "-httpListenAddr=127.0.0.1:0"]
    # By default the step is five minutes, whatever the interval of the group, and the alert would never fire.
    options = [f"-rule={RULES}", "-datasource.queryStep=1m", "-replay.disableProgressBar"]
    subprocess.run([program("vmalert", "victoria-metrics"), *options, *urls, *spans], check=True, capture_output=True)


@contextmanager
def _database(folder: str) -> Iterator[str]:
    """The address of a VictoriaMetrics with an empty store, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program("victoria-metrics", "victoria-metrics"), f"-storageDataPath={folder}/data"]
    server = subprocess.Popen(
        [*command, f"-httpListenAddr={address}", "-retentionPeriod=100y"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            with suppress(ConnectionRefusedError):
                _ask(address, "/health")
                break
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def _ask(address: str, path: str, body: str | None = None) -> bytes:
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {text.decode()[:500]}")
        return text
    finally:
        connection.close()
