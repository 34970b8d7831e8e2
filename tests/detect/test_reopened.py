"""An increase that is back within `reopen_seconds` is the same incident."""

from pathlib import Path

import pytest

from tests.release_day import ReleaseDay, scaled

pytestmark = pytest.mark.slow

CALM = {"1.0": scaled(0.5), "1.1": scaled(0.5)}
WORSE = {"1.0": scaled(0.5), "1.1": scaled(0.5, login=6)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    return tmp_path


def test_an_increase_that_is_back(folder: Path) -> None:
    day = ReleaseDay.at(folder)
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    for builds in (WORSE, CALM, WORSE, CALM):
        day.play(20, builds, every=5)
    assert [change for change, _, _ in day.changes("OPENED", "REOPENED", "RESOLVED")] == [
        "OPENED",
        "RESOLVED",
        "REOPENED",
        "RESOLVED",
    ]
    assert day.rows("select count(*) from incidents") == [(1,)]


def test_what_was_back_and_is_over_again_is_reported(folder: Path) -> None:
    day = ReleaseDay.at(folder)
    day.play(30, {"1.0": scaled(1)}, at_once=True)
    for builds in (WORSE, CALM):
        day.play(20, builds, every=5)
    # No run while it is worse.
    day.run = lambda records=(): day.kept.extend(records) or 0  # type: ignore[method-assign,attr-defined]
    day.kept = []  # type: ignore[attr-defined]
    day.play(20, WORSE, at_once=True)
    day.play(20, CALM, at_once=True)
    kept = day.kept  # type: ignore[attr-defined]
    del day.run
    day.run(kept)
    assert [change for change, _, _ in day.changes("OPENED", "REOPENED", "RESOLVED")] == [
        "OPENED",
        "RESOLVED",
        "REOPENED",
    ]
    assert " to " in day.printed[-1][1]
