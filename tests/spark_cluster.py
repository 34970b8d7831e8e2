"""A Spark cluster on loopback for tests: a master, two workers of one core, and a Connect server."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.programs import missing, program

SPARK = Path(__file__).parents[1] / ".venv-spark"
HOST = "127.0.0.1"
START_SECONDS = 90
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"


class Cluster:
    """Processes that write their logs to a folder; `url` is what a client connects to."""

    def __init__(self, folder: Path, *, part_bytes: int = 50_000, has_ui: bool = False) -> None:
        """Files are read in parts of so many bytes; small ones show whether lines are numbered right."""
        program("java", "openjdk-17-jre-headless")
        found = sorted(SPARK.glob("lib/python3*/site-packages/pyspark"))
        if not found:
            missing("Spark is not installed in .venv-spark (make .venv-spark/.made)")
        self.folder, self.home = folder, found[0]
        self._part_bytes, self._has_ui, self._ui_port = part_bytes, has_ui, _free_port()
        self.url = f"sc://{HOST}:{_free_port()}"
        self._master = f"spark://{HOST}:{_free_port()}"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start all; it answers within START_SECONDS, or the test fails."""
        port = self._master.rpartition(":")[2]
        self._start("master", "spark-class", MASTER, "--host", HOST, "--port", port, "--webui-port", "0")
        _wait_for(port)
        self.workers = [self.start_worker(number) for number in (1, 2)]
        self.start_driver()

    def start_driver(self) -> None:
        """Start the Connect server, Spark's driver; it listens at `url`."""
        settings = {
            "spark.connect.grpc.binding.address": HOST,
            "spark.connect.grpc.binding.port": self.url.rpartition(":")[2],
            "spark.executor.cores": "1",
            "spark.executor.memory": "1g",
            "spark.sql.files.maxPartitionBytes": str(self._part_bytes),
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.ui.enabled": str(self._has_ui).lower(),
            "spark.ui.port": str(self._ui_port),
        }
        options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        command = ("spark-submit", "--class", CONNECT, "--master", self._master, *options, "spark-internal")
        self._driver = self._start("connect", *command)
        _wait_for(settings["spark.connect.grpc.binding.port"])

    def kill_driver(self) -> None:
        _end(self._driver)

    def start_worker(self, number: int) -> subprocess.Popen[bytes]:
        size = ("--cores", "1", "--memory", "2g", "--webui-port", "0", "--work-dir", str(self.folder / f"work{number}"))
        return self._start(f"worker{number}", "spark-class", WORKER, "--host", HOST, *size, self._master)

    def kill_worker(self) -> None:
        """Kill a worker with its executor."""
        worker = self.workers.pop()
        _end(worker)

    def shuffled_bytes(self) -> int:
        """What all executors have written for others to read; of a cluster that `has_ui`."""
        applications = f"http://{HOST}:{self._ui_port}/api/v1/applications"
        (application,) = _json(applications)
        executors = _json(f"{applications}/{application['id']}/allexecutors")
        return sum(executor["totalShuffleWrite"] for executor in executors)

    def peak_mb(self) -> float:
        """The largest resident memory (MB, 10^6 bytes) that each process has had, summed; executors included."""
        kilobytes = 0
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                if int(fields["NSsid"].split()[0]) in {process.pid for process in self._processes}:
                    kilobytes += int(fields.get("VmHWM", "0 kB").split()[0])
        return kilobytes * 1024 / 1e6

    def stop(self) -> None:
        for process in reversed(self._processes):
            _end(process)

    def _start(self, name: str, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "SPARK_HOME": str(self.home), "SPARK_LOCAL_IP": HOST}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(self.home / "bin" / command), *arguments],
                env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._processes.append(process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _json(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 our own
        return json.load(answer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: str) -> None:
    for _ in range(START_SECONDS * 5):
        with suppress(OSError), socket.create_connection((HOST, int(port)), timeout=1):
            return
        time.sleep(0.2)
    raise AssertionError(f"nothing listens on port {port} after {START_SECONDS} s")
