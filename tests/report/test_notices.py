"""What changed is printed until a run could write it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.runtime import process
from tests.oracles.mean_rules import Record
from tests.release_day import ReleaseDay, scaled
from tests.streams import MONDAY

pytestmark = pytest.mark.slow

WAITING = "select channel, change, code from notices where taken_at is null order by notice_id"


def refused(line: str) -> None:
    raise BrokenPipeError(32, "Broken pipe")


@dataclass
class ClosedOutput(ReleaseDay):
    """A day on which stdout takes nothing while it `is_closed`."""

    is_closed: bool = False
    as_json: bool = False

    @property
    def session(self) -> Session:
        session = replace(super().session, as_json=self.as_json)
        return replace(session, out=refused) if self.is_closed else session


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClosedOutput]:
    """Half an hour of 1.0, then twenty minutes in which 1.1 sends `login` more often, and a code of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
        patch.setattr(process, "forget_stdout", lambda: None)
        day = ClosedOutput.at(tmp_path_factory.mktemp("played"))
        day.play(30, {"1.0": scaled(1)}, at_once=True)
        day.is_closed = True
        new = [Record(MONDAY + second, "1.1", "E_NEW") for second in (1900, 1950)]
        day.play(20, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=6)}, new, at_once=True)
        yield day


@pytest.fixture
def day(played: ClosedOutput, tmp_path: Path) -> ClosedOutput:
    """A copy of that day and of its store."""
    shutil.copytree(played.folder, tmp_path, dirs_exist_ok=True)
    config = played.config.model_copy(update={"base": tmp_path})
    return replace(
        played, folder=tmp_path, config=config, printed=[], reported=[*played.reported], dice=copy(played.dice)
    )


def test_what_could_not_be_written_is_printed_by_the_next_run(day: ClosedOutput) -> None:
    assert day.rows(WAITING) == [("stdout", "opened", "login"), ("stdout", "new_codes", None)]
    assert [line for _, line in day.reported] == ["stdout: Broken pipe; the next run prints what changed"]
    assert day.run() == 74
    day.is_closed = False
    assert day.run() == 0
    assert [line.split()[0] for _, line in day.printed] == ["OPENED", "NEW"]
    assert day.rows(WAITING) == []
    assert day.run() == 0
    assert len(day.printed) == 2


def test_a_source_that_fails_keeps_nothing_from_being_printed(day: ClosedOutput) -> None:
    day.is_closed = False
    damaged = day.folder / "damaged.csv"
    damaged.write_text("ts,build,code\nnever,1.0,timeout\n", encoding="utf-8")
    assert pipeline.run(day.session, [damaged], is_final=False, exit_code=False) == 74
    assert [line.split()[0] for _, line in day.printed] == ["OPENED", "NEW"]


def test_the_run_that_prints_it_decides_how(day: ClosedOutput) -> None:
    day.is_closed, day.as_json = False, True
    day.run()
    opened, new = (json.loads(line) for _, line in day.printed)
    assert (opened["change"], opened["code"], opened["state"]) == ("opened", "login", "open")
    with day.session.store.read() as connection:
        columns = {row[0] for row in connection.exec_driver_sql("describe incidents")}
    added = ["doublings", "again", "comparison_seconds", "gone", "baseline_clients", "candidate_clients"]
    assert opened.keys() == columns | {"change", *added}
    assert [*opened][:3] == ["change", "incident_id", "rule"]
    assert [*opened][-6:] == added
    assert (opened["again"], opened["gone"]) == (None, None)
    assert new.keys() == {"change", "baseline", "candidate", "codes", "most_frequent"}
    (named,) = new["most_frequent"]
    assert named.keys() == {"code", "first_ts", "baseline_errors", "candidate_errors", "candidate_seconds"}
    assert (new["change"], new["candidate"], new["codes"]) == ("new_codes", "1.1", 1)


def test_a_reader_that_has_gone(day: ClosedOutput) -> None:
    config, empty = day.folder / "config.toml", day.folder / "empty.csv"
    config.write_text('[store]\npath = "s.duckdb"\n', encoding="utf-8")
    empty.write_text("ts,build,code\n", encoding="utf-8")
    command = [sys.executable, "-m", "streammetrics", "run", str(empty), "--config", str(config)]
    reading, writing = os.pipe()
    os.close(reading)
    lost = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert lost.returncode == 74
    assert "the next run prints what changed" in lost.stderr
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in found.stdout.splitlines()] == ["OPENED", "NEW"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""
