"""A PostgreSQL server of the tests' own: on loopback, on a free port, as an unprivileged user, ended with the tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.programs import missing

PASSWORD = "correct horse/battery%staple"  # noqa: S105 of a server that lives as long as the tests


@dataclass(frozen=True)
class Server:
    """Where it listens; `reader` is its owner."""

    port: int

    @property
    def url(self) -> str:
        """Without the password."""
        return f"postgresql+psycopg://reader@127.0.0.1:{self.port}/postgres"

    def connect(self, *, autocommit: bool = True) -> "psycopg.Connection[Any]":
        place = f"host=127.0.0.1 port={self.port} dbname=postgres user=reader connect_timeout=5"
        return psycopg.connect(place, password=PASSWORD, autocommit=autocommit)

    def run(self, sql: str) -> list[Any]:
        with self.connect() as connection:
            done = connection.execute(sql)
            return done.fetchall() if done.description else []


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server; see `programs.missing` where none is installed."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")), shutil.which("initdb")]
    programs = [Path(path) for path in found if path]
    if not programs or (os.geteuid() == 0 and _account() is None):
        missing("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with _server(programs[0].resolve().parent) as server:
        yield server


@contextmanager
def _server(programs: Path) -> Iterator[Server]:
    # Not below pytest's folder, which is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="streammetrics-postgresql-"))
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        for path in (folder, secret):
            if (account := _account()) and os.geteuid() == 0:
                os.chown(path, account.pw_uid, account.pw_gid)
        data = folder / "data"
        owner = ["-U", "reader", f"--pwfile={secret}", "-A", "scram-sha-256"]
        initdb = [str(programs / "initdb"), "-D", str(data), *owner, "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(initdb, check=True, capture_output=True, **_as_other())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            server = Server(probe.getsockname()[1])
        listen = ["-h", "127.0.0.1", "-p", str(server.port), "-k", "", "-F"]
        # Where a test session is killed its server ends as well.
        guard = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        command = [*guard, str(programs / "postgres"), "-D", str(data), *listen]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log, **_as_other())
        try:
            _await(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _account() -> pwd.struct_passwd | None:
    """Who the server runs as where the tests run as root, which it refuses."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


def _as_other() -> dict[str, Any]:
    account = _account()
    if os.geteuid() != 0 or account is None:
        return {"cwd": "/"}
    return {"cwd": "/", "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
