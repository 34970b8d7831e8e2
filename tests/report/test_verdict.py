"""Verdicts, on literal comparisons and codes; and as the command gives them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.cli import polling
from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, StoreSettings
from streammetrics.errors import StoreBusyError
from streammetrics.report import verdict
from streammetrics.report.status import facts
from streammetrics.report.status.models import Compared
from streammetrics.report.verdict.decide import CodeReach, Verdict, decide
from streammetrics.report.verdict.facts import none_compared
from streammetrics.report.verdict.words import EXIT_CODES
from streammetrics.store.statements import statement
from streammetrics.store.views import Slice, compose
from tests.histories import history, regression
from tests.notify.test_texts import INCIDENT
from tests.release_day import ReleaseDay, scaled
from tests.streams import MONDAY, moment_of, reporting

NOON = datetime(2026, 11, 23, 12)
PAIR = Compared(
    "5.9", "5.10", judged_until=NOON, is_displaced=False, awaited=None, behind_seconds=0, judged_seconds=1200,
    awaits_users=False,
)  # fmt: skip
SEEN = CodeReach("a", 1.5, True, 3.0)
HALF = CodeReach("b", 3.0, False, 0.5)
RARE = CodeReach("c", None, False, 0.001)
HISTORY = 16_000
UP_TO = "judged only up to 2026-11-23 12:00:00 UTC"


def decided(codes: Sequence[CodeReach], pair: Compared = PAIR, now: datetime = NOON) -> Verdict:
    return decide(pair, [], codes, HISTORY, now)


def test_an_open_incident_is_worse() -> None:
    found = decide(PAIR, [INCIDENT], [SEEN], HISTORY, NOON + timedelta(days=9))
    assert (found.verdict, found.reason) == ("worse", "1 open incident: E_TIMEOUT")


def test_what_the_detector_of_evidence_found_is_named_first() -> None:
    noise = [replace(INCIDENT, code=f"n{number}", detector="mean_ratio") for number in (1, 2, 1)]
    assert decide(PAIR, [*noise, INCIDENT], [], HISTORY, NOON).reason == "4 open incidents: E_TIMEOUT, n1, n2"


def test_an_incident_that_has_just_ended_is_part_of_the_reason() -> None:
    """An open one is what counts; of the ended ones, the last that the detector of evidence found is named."""
    ended = replace(INCIDENT, state="resolved", code="E_X")
    noise = replace(ended, code="n", detector="mean_ratio", end_ts=NOON + timedelta(hours=1))
    found = decide(PAIR, [noise, ended], [SEEN], HISTORY, NOON)
    doubling = "a doubling of any of 1 code with traffic would have been found"
    words = "E_X was worse (x3.23, 2.6 to 4.01) until 2026-11-23 12:20:10 UTC, and 1 more incident ended"
    assert (found.verdict, found.reason) == ("not worse", f"{doubling}; {words}")
    assert (found.incidents, found.ended) == ([], [noise, ended])
    assert decide(PAIR, [ended], [], HISTORY, NOON).reason.endswith("4.44 h; " + words.partition(", and")[0])
    found = decide(PAIR, [ended, INCIDENT], [SEEN], HISTORY, NOON)
    assert (found.reason, found.incidents, found.ended) == ("1 open incident: E_TIMEOUT", [INCIDENT], [ended])


def test_a_doubling_of_every_code_with_traffic_would_have_been_found() -> None:
    found = decided([SEEN, RARE])
    assert found.verdict == "not worse"
    assert list(verdict.render(found)) == [
        "not worse  5.9 -> 5.10  a doubling of any of 1 code with traffic would have been found",
        "  code c: no increase would have been found",
        "  code a: an increase by x1.5 or more would have been found",
    ]


def test_a_code_that_needs_longer() -> None:
    found = decided([SEEN, HALF, RARE])
    assert (found.verdict, found.missing_seconds) == ("not enough data", 1200)
    assert next(verdict.render(found)) == (
        "not enough data  5.9 -> 5.10  a doubling of 1 of 2 codes with traffic would not have been found yet: b; "
        "about 20 min at this traffic"
    )
    # It takes as long as the history, and no longer: after that it would be found.
    assert decided([SEEN, replace(HALF, doubling_part=1200 / HISTORY)]).verdict == "not enough data"
    assert decided([SEEN, replace(HALF, doubling_part=1199 / HISTORY)]).verdict == "not worse"


@pytest.mark.parametrize("codes", [[], [RARE]])
def test_without_a_code_of_traffic(codes: list[CodeReach]) -> None:
    found = decided(codes)
    reason = "no code sends enough errors for a doubling to be found in 4.44 h"
    assert (found.verdict, found.reason, found.missing_seconds) == ("not enough data", reason, None)


@pytest.mark.parametrize(
    ("columns", "minutes", "reason"),
    [
        ({"is_displaced": True}, 0, "it is not judged now: other comparisons go first ([builds] max_comparisons)"),
        ({"awaits_users": True}, 0, "it waits for the users of its builds: a file of [[exposure]] is incomplete"),
        ({"judged_until": None}, 0, "it is not judged yet"),
        ({"judged_seconds": 0}, 0, "it is not judged yet"),
        ({"judged_seconds": -60}, 0, "it is not judged yet"),
        (
            {"awaited": "5.9", "behind_seconds": 1800},
            0,
            "5.9 sends no records: judged only up to 2026-11-23 12:00:00 UTC",
        ),
        ({}, 31, f"{UP_TO}: no newer records, or no run"),
    ],
)
def test_what_tells_nothing_of_now(columns: dict[str, Any], minutes: int, reason: str) -> None:
    found = decided([SEEN], replace(PAIR, **columns), NOON + timedelta(minutes=minutes))
    assert (found.verdict, found.reason) == ("not enough data", reason)
    assert decided([SEEN], PAIR, NOON + timedelta(minutes=29)).verdict == "not worse"


def test_the_worst_sets_the_exit_code() -> None:
    best, open_, worst = (Verdict("a", "b", word, "") for word in EXIT_CODES)  # type: ignore[arg-type]
    assert [verdict.exit_code(found) for found in ([best], [best, open_], [open_, worst, best])] == [0, 4, 3]
    assert [verdict.is_open([one]) for one in (best, open_, worst)] == [False, True, False]


def test_many_codes_are_counted() -> None:
    codes = [replace(HALF, code=f"c{number}") for number in range(9)]
    assert "9 of 9 codes" in decided(codes).reason
    assert decided(codes).reason.endswith(": c0, c1, c2, c3, c4, 4 more")


@pytest.mark.parametrize(
    ("asked", "builds", "words"),
    [
        ((None, None), [], "nothing is compared now: {}; builds are none yet; {}"),
        (
            (None, None), [("4.1", 40, True), ("4.2", 19, False)],
            "nothing is compared now: {}; 4.2 has sent 19; {}",
        ),
        (
            (None, "4.2"), [("4.0", 9, False), ("4.1", 40, True), ("4.2", 1900, False)],
            "these builds are not compared now: {}; 4.2 has sent 1,900; {}",
        ),
        ((None, "4.3"), [("4.1", 40, True)], "build 4.3 has never sent a record: {}; builds are 4.1; {}"),
    ],
)  # fmt: skip
def test_what_is_missing_where_nothing_is_compared(
    asked: tuple[str | None, str | None], builds: list[tuple[str, int, bool]], words: str
) -> None:
    counts, where = (
        "a build counts once it has sent 20 records that span 30 s",
        "`streammetrics status` lists comparisons",
    )
    assert none_compared(*asked, builds).reason == words.format(counts, where)


def session(folder: Path, seconds: int, printed: list[str], *, as_json: bool = False) -> Session:
    config = Config(store=StoreSettings(path="s.duckdb"), base=folder)
    return Session(config, reporting(print), printed.append, lambda: moment_of(MONDAY + seconds), as_json)


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    history(tmp_path / "s.duckdb", regression())
    printed: list[str] = []
    assert polling.verdict(session(tmp_path, 1300, printed, as_json=True), None, None, None, 0) == 3
    found = json.loads(printed[0])
    assert (found["verdict"], found["baseline"], found["candidate"]) == ("worse", "1.9", "1.10")
    assert found["incidents"][0]["code"] in found["reason"]
    assert polling.verdict(session(tmp_path, 1300, printed), None, "7.7", None, 0) == 4
    assert printed[1].startswith("not enough data  build 7.7 has never sent a record: ")
    assert "; builds are 1.9, 1.10; " in printed[1]
    assert polling.verdict(session(tmp_path, 1300, printed), None, None, "nosuch", 0) == 4
    assert printed[2] == "not enough data  no build has ever sent code nosuch"


@pytest.mark.slow
def test_an_incident_is_mentioned_until_it_can_no_longer_be_reopened(tmp_path: Path) -> None:
    day = ReleaseDay.at(tmp_path, comparison=(Comparison(exposure="equal"),))
    calm = {"1.0": scaled(0.5), "1.1": scaled(0.5)}
    day.play(40, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=6)}, at_once=True)
    day.play(40, calm, at_once=True)

    def found() -> Verdict:
        (one,) = verdict.verdicts(day.session.store, day.config, moment_of(MONDAY + day.minute * 60))
        return one

    assert found().verdict == "not worse"
    assert "; login was worse (x" in found().reason
    assert [(one.code, one.state) for one in found().ended] == [("login", "resolved")]
    assert json.loads(verdict.as_json(found()))["ended"][0]["code"] == "login"
    day.play(60, calm, at_once=True)
    assert (found().verdict, found().ended) == ("not worse", [])
    assert "was worse" not in found().reason


@pytest.mark.slow
def test_the_gains_of_the_lead_in_change_nothing(tmp_path: Path) -> None:
    day = ReleaseDay.at(tmp_path)
    day.play(90, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=3)}, at_once=True)
    end = MONDAY + 90 * 60
    for final in (statement("reports/code_verdicts"), "select * from reaches order by all"):
        for since in (end - 3600, end - 900):
            piece = Slice(since, end, 3600)
            with day.session.store.read() as connection:
                expected, found = (
                    connection.exec_driver_sql(sql).all()
                    for sql in (compose(final, piece), facts.of_reaches(final, piece))
                )
            assert found == expected != []


def test_it_waits_until_there_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, over = Verdict("a", "b", "not enough data", "soon"), Verdict("a", "b", "not worse", "seen")
    answers = iter([[waiting], None, [waiting], [over], [waiting]])

    def answer(*_: object) -> list[Verdict]:
        found = next(answers)
        if found is None:
            raise StoreBusyError("busy")
        return found

    monkeypatch.setattr(verdict, "verdicts", answer)
    monkeypatch.setattr(polling, "POLL_SECONDS", 0.001)
    printed: list[str] = []
    assert polling.verdict(session(tmp_path, 0, printed), None, None, None, 60) == 0
    assert printed == ["not worse  a -> b  seen"]
    assert polling.verdict(session(tmp_path, 0, printed), None, None, None, 0) == 4
