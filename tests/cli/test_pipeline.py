"""What jobs do when something fails: say so, keep what was stored, and let the next run make up for it."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Config, OutputSettings, StoreSettings
from streammetrics.detect import alerts, passes, portions
from streammetrics.report.heatmap import data
from streammetrics.runtime import progress, terminal
from streammetrics.runtime.logs import Event
from streammetrics.runtime.progress import Progress
from tests.rules import REFERENCE
from tests.streams import reporting

NOON = datetime(2026, 1, 1, 12)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Ten minutes at 12:00 of two builds with a record a second each, then ten in which the new one sends eight."""
    path = tmp_path / "errors.csv"
    lines = ["ts,build,code"]
    for second in range(1200):
        moment = NOON + timedelta(seconds=second)
        lines += [f"{moment},1.9,7", *[f"{moment},1.10,7"] * (8 if second >= 600 else 1)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def session(tmp_path: Path) -> "Recorded":
    return Recorded(tmp_path)


class Recorded(Session):
    """A session in a folder, that keeps what it is to print."""

    def __init__(self, folder: Path, output: str = "out") -> None:
        self.printed: list[str] = []
        self.messages: list[str] = []
        super().__init__(
            Config(
                rule=REFERENCE, store=StoreSettings(path="a.duckdb"), output=OutputSettings(dir=output), base=folder
            ),
            reporting(self.messages.append),
            self.printed.append,
            lambda: NOON + timedelta(hours=1),
        )


def rows(session: Session, sql: str) -> list[tuple[object, ...]]:
    with session.store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


@pytest.mark.slow
def test_a_failed_pass_is_recorded_and_made_up_for(
    session: Recorded, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is on fire")

    with monkeypatch.context() as patch:
        patch.setattr(passes, "amend", fail)
        with pytest.raises(RuntimeError, match="on fire"):
            pipeline.run(session, [records], is_final=False, exit_code=False)
    assert session.printed == []
    assert rows(session, "select state, error, alerts_new from runs") == [
        ("failed", "RuntimeError: the disk is on fire", 0)
    ]
    assert rows(session, "select count(*) from events") == [(6600,)]
    assert rows(session, "select count(*) from progress") == [(0,)]
    pipeline.run(session, [records], is_final=False, exit_code=False)
    assert [line.split()[:3] for line in session.printed] == [["OPENED", "code", "7"]] * 2


@pytest.mark.slow
def test_pictures_that_fail_come_after_the_news(tmp_path: Path, records: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    session = Recorded(tmp_path)
    assert pipeline.run(session, [records], is_final=False, exit_code=True) == 74
    assert len(session.printed) == 2
    assert [line for line in session.messages if line.startswith("the heatmaps could not be drawn: ")]


@pytest.mark.slow
def test_open_incidents_are_an_exit_code_only_when_requested(session: Recorded, records: Path) -> None:
    assert pipeline.run(session, [records], is_final=False, exit_code=False) == 0
    assert pipeline.run(session, [records], is_final=False, exit_code=True) == 3


@pytest.mark.slow
def test_pictures_are_not_drawn_where_nothing_was_judged(session: Recorded, records: Path, tmp_path: Path) -> None:
    pipeline.run(session, [records], is_final=False, exit_code=False)
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert len(drawn) == 2
    pipeline.run(session, [records], is_final=False, exit_code=False)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == drawn


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    messages: list[str] = []
    reporting(messages.append).say(Event("code \x1b[31mred\n  next line"))
    assert messages == ["code \\x1b[31mred\n  next line"]


def test_bars_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHOW_AFTER_SECONDS", 0.0)
    reported: list[tuple[object, ...]] = []
    started = threading.Event()

    class Bars:
        def start(self) -> None:
            started.set()

        def stop(self) -> None:
            reported.append(("stop",))

        def add_task(self, name: str, total: float | None) -> str:
            reported.append((name, total))
            return name

        def update(self, name: str, completed: float, total: float) -> None:
            reported.append((name, completed, total))

    monkeypatch.setattr(progress, "_bars", Bars)
    with Progress(False, print).task("reading") as advance:
        advance(1, 4)
    assert reported == []
    with Progress(True, print).task("reading") as advance:
        assert started.wait(10)
        advance(1, 4)
    assert reported == [("reading", None), ("reading", 1, 4), ("stop",)]


@pytest.mark.slow
def test_what_was_stored_before_a_failure_is_reported(
    session: Recorded, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "longest_seconds", lambda *_: 900)
    calls = []

    def fail_second(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError("the disk is on fire")
        return alerts.amend(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(passes, "amend", fail_second)
        with pytest.raises(RuntimeError, match="on fire"):
            pipeline.run(session, [records], is_final=False, exit_code=False)
    assert [line.split()[0] for line in session.printed] == ["OPENED", "OPENED"]
    assert rows(session, "select state from runs order by run_id") == [("done",), ("failed",)]
    before = list(session.printed)
    pipeline.run(session, [records], is_final=False, exit_code=False)
    assert [line for line in session.printed if line in before] == before


@pytest.mark.slow
def test_a_file_that_fails_does_not_keep_pictures_from_being_drawn(
    session: Recorded, records: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    assert pipeline.run(session, [bad, records], is_final=False, exit_code=False) == 78
    assert len(list((tmp_path / "out").iterdir())) == 2


def stretch(path: Path, first_second: int, seconds: int, more: int) -> Path:
    """A record a second and build from so many seconds behind noon on, and `more` of the new one each second."""
    lines = ["ts,build,code"]
    for second in range(first_second, first_second + seconds):
        moment = NOON + timedelta(seconds=second)
        lines += [f"{moment},1.9,7", *[f"{moment},1.10,7"] * (1 + more)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.slow
def test_what_resolves_behind_a_pause_is_reported_as_resolved(session: Recorded, tmp_path: Path) -> None:
    """The pass settles far more than what it judges first, and the incident's end comes to lie behind that."""
    first = stretch(tmp_path / "1.csv", -21_600, 1200, more=0)
    pipeline.run(session, [first, stretch(tmp_path / "2.csv", -20_400, 600, more=7)], is_final=False, exit_code=False)
    assert [line.split()[0] for line in session.printed] == ["OPENED", "OPENED"]
    session.printed.clear()
    pipeline.run(session, [stretch(tmp_path / "3.csv", -3_600, 3_600, more=0)], is_final=False, exit_code=False)
    assert [line.split()[0] for line in session.printed] == ["RESOLVED", "RESOLVED"]


@pytest.mark.slow
def test_incidents_of_rules_with_other_names_are_not_new(session: Recorded, records: Path) -> None:
    pipeline.run(session, [records], is_final=False, exit_code=False)
    session.printed.clear()
    rules = tuple(rule.model_copy(update={"name": f"new-{rule.name}"}) for rule in session.config.rule)
    renamed = Recorded(session.config.base)
    object.__setattr__(renamed, "config", session.config.model_copy(update={"rule": rules}))
    pipeline.run(renamed, [records], is_final=False, exit_code=False)
    opened = [line for line in renamed.printed if line.startswith("OPENED")]
    assert len(opened) == 2
    assert all("new-" in line for line in opened), renamed.printed


@pytest.mark.slow
def test_the_store_is_free_while_pictures_are_drawn(
    session: Recorded, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []

    def draw_one(_: object, path: Path) -> Path:
        with session.store.write():
            drawn.append(path)
        return path

    monkeypatch.setattr(data, "draw_one", draw_one)
    pipeline.run(session, [records], is_final=False, exit_code=False)
    assert len(drawn) == 2


@pytest.mark.parametrize(
    ("log10", "text"),
    [(6.937, "10^6.94"), (999.4, "10^999"), (999.6, "10^1,000"), (3583.2, "10^3,583"), (-0.5, "10^-0.5")],
)
def test_a_power_of_ten_has_one_exponent(log10: float, text: str) -> None:
    assert terminal.power(log10) == text
