"""Sources that fall silent and jobs that fail, as `run` reports them; and what monitors ask."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from streammetrics import config
from streammetrics.cli import main, pipeline
from streammetrics.cli.session import Session
from streammetrics.report import status
from tests.notify.requests_taken import server
from tests.streams import MONDAY, moment_of, reporting

pytestmark = pytest.mark.slow

CONFIG = """
[store]
path = "s.duckdb"
[[source]]
name = "clients"
path = "in/*.csv"
silent_after_seconds = 600
[[channel]]
name = "hook"
kind = "command"
command = ["sh", "-c", "cat >> {folder}/got"]
"""


@dataclass
class Installation:
    folder: Path
    minute: int = 60
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "in").mkdir()
        (self.folder / "config.toml").write_text(CONFIG.format(folder=self.folder))

    @property
    def session(self) -> Session:
        found = config.load(self.folder / "config.toml", {})
        clock = moment_of(MONDAY + self.minute * 60)
        return Session(found, reporting(lambda line: None), self.printed.append, lambda: clock)

    def run(self, minutes: int = 0, text: str | None = None) -> int:
        self.minute += minutes
        if text is not None:
            (self.folder / "in" / f"{self.minute}.csv").write_text(text)
        return pipeline.run(self.session, is_final=False, exit_code=False)

    def good(self) -> str:
        return f"ts,build,code\n{moment_of(MONDAY + self.minute * 60)},1.0,7\n"

    @property
    def sent(self) -> list[str]:
        path = self.folder / "got"
        return [json.loads(line)["subject"] for line in path.read_text().splitlines()] if path.exists() else []

    def check(self, minutes: int = 0) -> list[str]:
        self.minute += minutes
        session = self.session
        found = status.collect(session.store, session.config, session.clock())
        return status.check(found, session.config.schedule.interval_seconds(session.clock()))


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_each_run_writes_the_page(installation: Installation) -> None:
    with (installation.folder / "config.toml").open("a") as stream:
        stream.write("[output]\nreport = true\n")
    page = installation.folder / "var" / "out" / "index.html"

    assert installation.run(text=installation.good()) == 0
    assert "SILENT" not in page.read_text()
    # Two runs with nothing new: the source falls silent, which is reported; then only the time passes.
    for minutes in (11, 1):
        assert installation.run(minutes) == 0
        assert "SILENT" in page.read_text()
        assert f"page made {moment_of(MONDAY + installation.minute * 60)}" in page.read_text()


def test_a_source_that_falls_silent_is_reported_once_and_when_it_is_back(installation: Installation) -> None:
    assert installation.run(text=installation.good()) == 0
    for minutes in (9, 2, 1, 1):
        installation.run(minutes)
    installation.run(1, installation.good().replace("1.0,7", "1.0,8"))
    expected = ["feed clients: no record newer than 2026-11-23 01:00:00 UTC", "feed clients: is no longer silent"]
    assert installation.printed == [f"SILENT    {expected[0]}", f"BACK      {expected[1]}"]
    assert installation.sent == [f"[SILENT] {expected[0]}", f"[BACK] {expected[1]}"]


def test_alertmanager_gets_what_lives_for_four_intervals_from_each_run(installation: Installation) -> None:
    with server() as taken:
        with (installation.folder / "config.toml").open("a") as stream:
            stream.write(f'[[channel]]\nname = "am"\nkind = "alertmanager"\nurl = "{taken.url}"\n')
            stream.write("[schedule]\nevery_seconds = 120\n")
        installation.run(text=installation.good())
        for minutes, text in ((11, None), (2, None), (1, installation.good())):
            installation.run(minutes, text and f"ts,build,code\n{moment_of(MONDAY + 74 * 60)},1.0,8\n")
    sent = [(one["labels"]["alertname"], one["endsAt"]) for _, body in taken.taken for one in body]
    assert sent == [("FeedSilent", f"2026-11-23T01:{minute}:00Z") for minute in (19, 21, 14)]


def test_a_job_that_fails_three_times_is_reported_once_and_when_it_does_not(installation: Installation) -> None:
    installation.run(text=installation.good())
    bad = installation.folder / "in" / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    codes = [installation.run(1) for _ in range(5)]
    assert len(set(codes)) == 1
    assert codes[0] != 0
    words = f"job run: 3 runs in a row failed, the last with exit code {codes[0]}"
    assert installation.sent == [f"[FAILING] {words}"]
    with installation.session.store.read() as connection:
        rows = connection.exec_driver_sql("select job, exit_code, failed_runs from jobs where failed_runs > 0").all()
    assert [tuple(row) for row in rows] == [("run", codes[0], 5)]
    bad.unlink()
    installation.run(1)
    assert installation.sent[1:] == ["[RECOVERED] job run: its runs no longer fail"]


def test_what_a_monitor_asks(installation: Installation) -> None:
    assert installation.check() == ["no job has ended yet"]
    installation.run(text=installation.good())
    assert installation.check(3) == []
    assert installation.check(1) == ["the last job ended at 2026-11-23 01:00:00 UTC, 4 min ago"]
    installation.run(7)
    assert installation.check() == ["source clients is silent since 2026-11-23 01:00:00 UTC"]


def test_a_monitor_is_given_channels_that_fail(installation: Installation) -> None:
    path = installation.folder / "config.toml"
    text = path.read_text().replace('"sh", "-c"', '"/no/such/program"')
    path.write_text(text.replace("silent_after_seconds = 600", ""))
    installation.run(text=installation.good())
    (installation.folder / "in" / "bad.csv").write_text("a,b\n1,2\n")
    for _ in range(7):
        installation.run(1)
    refused, problem = installation.check()
    assert refused.startswith(f"refused: {installation.folder / 'in' / 'bad.csv'}: ")
    assert problem.startswith("channel hook fails since 2026-11-23 01:03:00 UTC, 1 notice not sent: /no/such/program: ")


@pytest.mark.parametrize("arguments", [["notify", "--test"], ["notify"]])
def test_the_commands(arguments: list[str], installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(installation.folder / "config.toml")
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config", path])
    assert ended.value.code == 0
    assert capsys.readouterr().out == ("hook: sent\n" if "--test" in arguments else "")
    with pytest.raises(SystemExit) as ended:
        main(["status", "--check", "--config", path])
    assert (ended.value.code, capsys.readouterr().out) == (1, "no job has ended yet\n")


def test_a_heartbeat_gets_the_exit_code_of_jobs_that_fail_too(installation: Installation) -> None:
    path = installation.folder / "config.toml"
    with server() as taken:
        path.write_text(f'{path.read_text()}[heartbeat]\nrun = "{taken.url}/run"\n')
        for text in (f"ts,build,code\n{moment_of(MONDAY)},1.0,7\n", "a,b\n1,2\n"):
            (installation.folder / "in" / f"{len(text)}.csv").write_text(text)
            with pytest.raises(SystemExit) as ended:
                main(["run", "--config", str(path)])
        assert [path for path, _ in taken.taken] == ["/run/0", f"/run/{ended.value.code}"]
    assert ended.value.code not in (0, None)
