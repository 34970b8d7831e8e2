"""Codes that only the candidate sends: each is reported once for a comparison, by the run that first saw it twice."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, DetectSettings, RetentionSettings, Rule, StoreSettings
from streammetrics.detect import alerts, passes, portions
from streammetrics.detect.incidents import Change, Incident
from streammetrics.detect.new_codes import NewCode, NewCodes
from streammetrics.report import wording
from streammetrics.store import retention
from tests.histories import HOSTILE
from tests.streams import reporting

NOON = datetime(2026, 11, 23, 12)

Codes = dict[str, Iterable[int]]
"""The seconds in which a code is sent."""


def rule(threshold: float) -> Rule:
    return Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1,), threshold=threshold)


class Runs:
    """A store that is fed and judged, and what each run printed. Unless set, no rule ever fires."""

    def __init__(self, folder: Path, threshold: float = 1000, as_json: bool = False) -> None:
        self.printed: list[str] = []
        self.folder = folder
        # Incidents of different minutes are not one.
        apart = DetectSettings(reopen_seconds=0)
        config = Config(rule=(rule(threshold),), detect=apart, store=StoreSettings(path="a.duckdb"), base=folder)
        progress = reporting(lambda _: None)
        self.session = Session(config, progress, self.printed.append, lambda: NOON + timedelta(hours=8), as_json)

    def file(self, minute: int, extra: Codes, builds: Iterable[str] = ("1.0", "1.1"), build: str = "1.1") -> Path:
        """A minute behind noon: each build sends code 7 each second, and one build what is `extra` as well."""
        lines = [
            f"{NOON + timedelta(minutes=minute, seconds=second)},{one},7" for second in range(60) for one in builds
        ]
        lines += [
            f'{NOON + timedelta(minutes=minute, seconds=second)},{build},"{code}"'
            for code, seconds in extra.items()
            for second in seconds
        ]
        path = self.folder / f"{len(list(self.folder.glob('*.csv')))}.csv"
        path.write_text("\n".join(["ts,build,code", *lines]) + "\n")
        return path

    def run(self, *paths: Path) -> list[str]:
        self.printed.clear()
        assert pipeline.run(self.session, paths or [self.folder / "0.csv"], is_final=False, exit_code=False) == 0
        return list(self.printed)

    def minute(
        self, minute: int, extra: Codes, builds: Iterable[str] = ("1.0", "1.1"), build: str = "1.1"
    ) -> list[str]:
        return self.run(self.file(minute, extra, builds, build))

    def view(self) -> list[tuple[object, ...]]:
        with self.session.store.read() as connection:
            sql = "select baseline, candidate, code, candidate_errors, candidate_seconds from new_codes order by all"
            return [tuple(row) for row in connection.exec_driver_sql(sql)]


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.mark.slow
def test_each_code_is_reported_once(runs: Runs) -> None:
    assert runs.minute(0, {}) == []
    assert runs.minute(1, {"X": [1, 1, 2], "Y": [5, 50]}) == ["NEW  2 codes only in 1.1: X 3, Y 2"]
    assert runs.run() == []
    assert runs.minute(2, {"X": [1, 2], "Z": [3, 9]}) == ["NEW  1 code only in 1.1: Z 2"]
    assert runs.minute(3, {"X": [3]}) == []
    assert runs.view() == [("1.0", "1.1", "X", 6, 5), ("1.0", "1.1", "Y", 2, 2), ("1.0", "1.1", "Z", 2, 2)]


@pytest.mark.slow
def test_a_code_of_a_single_second_waits_for_another(runs: Runs) -> None:
    runs.minute(0, {})
    assert runs.minute(1, {"X": [7] * 83}) == []
    assert runs.view() == [("1.0", "1.1", "X", 83, 1)]
    assert runs.minute(2, {}) == []
    # A late record of the same second changes nothing.
    assert runs.minute(1, {"X": [7]}) == []
    assert runs.minute(3, {"X": [9]}) == ["NEW  1 code only in 1.1: X 85"]
    assert runs.minute(4, {"X": [9]}) == []


@pytest.mark.slow
def test_what_missed_runs_left_is_reported_by_the_next(runs: Runs) -> None:
    runs.minute(0, {})
    pipeline.ingest(runs.session, [runs.file(1, {"X": [1]})])
    pipeline.ingest(runs.session, [runs.file(2, {"X": [1], "Y": [1, 2]})])
    assert runs.minute(3, {}) == ["NEW  2 codes only in 1.1: X 2, Y 2"]
    assert runs.minute(4, {}) == []


@pytest.mark.slow
def test_a_code_that_the_baseline_has_sent_is_not_new(runs: Runs) -> None:
    runs.minute(0, {"X": [1]}, build="1.0")
    assert runs.minute(1, {"X": [1, 2]}) == []
    assert runs.minute(2, {"Y": [1, 2]}) == ["NEW  1 code only in 1.1: Y 2"]
    assert runs.minute(3, {"Y": [1]}, build="1.0") == []
    assert runs.view() == []


@pytest.mark.slow
def test_a_new_comparison_reports_all_of_its_codes_in_one_line(runs: Runs) -> None:
    """Also those that came before it, when the build had sent too little to be compared."""
    runs.minute(0, {f"old {n}": range(40) for n in range(30)}, builds=("1.0",), build="1.0")
    assert runs.minute(1, {f"N{n}": range(n) for n in range(2, 5)}, builds=("1.0",)) == []
    assert runs.minute(2, {f"N{n}": range(n) for n in range(4, 17)}) == [
        "NEW  15 codes only in 1.1: N16 16, N15 15, N14 14, N13 13, N12 12, N11 11, N10 10, N9 9, N4 8, N8 8, "
        "and 5 more"
    ]
    assert runs.minute(3, {"N5": [1]}) == []


@pytest.mark.slow
def test_a_history_of_many_builds_is_one_line(runs: Runs) -> None:
    first = [
        runs.file(120 * (n - 5), {f"only {n}": range(9)}, (f"1.{n}", f"1.{n + 1}"), f"1.{n + 1}") for n in range(6)
    ]
    assert runs.run(*first) == ["NEW  1 code only in 1.6: only 5 9"]
    assert len(runs.view()) == 6


@pytest.mark.slow
def test_a_code_of_a_build_that_was_replaced_meanwhile_is_reported(runs: Runs) -> None:
    runs.minute(0, {})
    path = runs.file(1, {"X": [1, 2]})
    other = runs.file(2, {"X": [1, 2]}, builds=("1.0", "1.1", "1.2"), build="1.2")
    assert runs.run(path, other) == ["NEW  1 code only in 1.1: X 2"]


@pytest.mark.slow
def test_a_code_is_reported_while_the_baseline_is_silent(runs: Runs) -> None:
    runs.minute(0, {})
    assert runs.minute(1, {"X": [1, 2]}, builds=("1.1",)) == ["NEW  1 code only in 1.1: X 2"]
    assert runs.minute(2, {"X": [1, 2]}, builds=("1.1",)) == []


@pytest.mark.slow
def test_an_incident_is_no_new_code_as_well(tmp_path: Path) -> None:
    runs = Runs(tmp_path, threshold=1)
    runs.minute(0, {})
    (opened, new) = runs.minute(1, {"X": [*range(50)] * 3, "Y": [1, 30]})
    assert opened.startswith("OPENED    code X  ")
    assert new == "NEW  1 code only in 1.1: Y 2"


@pytest.mark.slow
def test_a_pass_that_fails_loses_no_code(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is on fire")

    runs.minute(0, {})
    with monkeypatch.context() as patch:
        patch.setattr(passes, "amend", fail)
        with pytest.raises(RuntimeError, match="on fire"):
            runs.minute(1, {"X": [1, 2]})
    assert runs.printed == []
    assert runs.run() == ["NEW  1 code only in 1.1: X 2"]
    assert runs.run() == []


@pytest.mark.slow
def test_a_code_of_the_portion_before_a_failure_is_reported_once(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """All batches count as seen once a portion is stored."""
    calls: list[object] = []

    def fail_second(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError("the disk is on fire")
        return alerts.amend(*arguments, **named)

    runs.minute(0, {})
    with monkeypatch.context() as patch:
        patch.setattr(portions, "longest_seconds", lambda *_: 900)
        patch.setattr(passes, "amend", fail_second)
        with pytest.raises(RuntimeError, match="on fire"):
            runs.run(*(runs.file(minute, {"X": [1]}) for minute in range(1, 31)))
    assert runs.printed == ["NEW  1 code only in 1.1: X 30"]
    assert runs.run() == []


@pytest.mark.slow
def test_a_code_that_retention_removed_of_the_baseline_is_not_new(runs: Runs) -> None:
    runs.minute(0, {"X": [1, 2]}, build="1.0")
    with runs.session.store.write() as connection:
        assert retention.prune(connection, RetentionSettings(counters_days=1), NOON + timedelta(hours=26)) is not None
        assert connection.exec_driver_sql("select count(*) from counters").scalar_one() == 0
    assert runs.minute(180, {"X": [1, 2], "Y": [1, 2]}) == ["NEW  1 code only in 1.1: Y 2"]


@pytest.mark.slow
def test_json_has_a_line_for_each_comparison(tmp_path: Path) -> None:
    runs = Runs(tmp_path, as_json=True)
    runs.minute(0, {})
    (line,) = runs.minute(1, {"X": [1, 1, 2], HOSTILE: [5, 6]})
    x, hostile = (
        {
            "code": code, "first_ts": f"2026-11-23 12:01:0{second}", "baseline_errors": 0, "candidate_errors": errors,
            "candidate_seconds": 2,
        }
        for code, second, errors in (("X", 1, 3), (HOSTILE, 5, 2))
    )  # fmt: skip
    assert json.loads(line) == {
        "change": "new_codes", "baseline": "1.0", "candidate": "1.1", "codes": 2, "most_frequent": [x, hostile],
    }  # fmt: skip


@pytest.mark.slow
def test_comparisons_with_one_candidate_are_distinguished(runs: Runs) -> None:
    compared = (Comparison(), Comparison(baseline="0.9", candidate="latest"))
    runs.session = replace(runs.session, config=runs.session.config.model_copy(update={"comparison": compared}))
    runs.minute(0, {"X": [1]}, builds=("0.9", "1.0", "1.1"), build="1.0")
    assert runs.minute(1, {"X": [1, 2], "Y": [1, 2]}, builds=("0.9", "1.0", "1.1")) == [
        "NEW  2 codes only in 1.1, not in 0.9: X 2, Y 2",
        "NEW  1 code only in 1.1, not in 1.0: Y 2",
    ]


def new_codes(codes: int, **errors: int) -> NewCodes:
    return NewCodes("1.0", "1.1", codes, tuple(NewCode(c, NOON, 0, n, 2) for c, n in errors.items()))


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (new_codes(3, X=14, Y=3, Z=2), "NEW  3 codes only in 1.1: X 14, Y 3, Z 2"),
        (new_codes(1, X=1400), "NEW  1 code only in 1.1: X 1,400"),
        (new_codes(1014, X=3, Y=2), "NEW  1,014 codes only in 1.1: X 3, Y 2, and 1,012 more"),
        (new_codes(2, **{"": 3, "a\n\x1b[31mb\u2028": 2}), 'NEW  2 codes only in 1.1: "" 3, a\\n\\x1b[31mb\\u2028 2'),
        (NewCodes("1.0", "1\n1", 1, (NewCode("X", NOON, 0, 2, 2),)), "NEW  1 code only in 1\\n1: X 2"),
    ],
)
def test_words(found: NewCodes, line: str) -> None:
    assert list(wording.new_code_lines([found])) == [line]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1.0 -> 1.1  comparison 0 s old  incident 5"),
        (59, "1.0 -> 1.1  comparison 59 s old  incident 5"),
        (60, "1.0 -> 1.1  comparison 1 min old  incident 5"),
        (419, "1.0 -> 1.1  comparison 6 min old  incident 5"),
        (3599, "1.0 -> 1.1  comparison 59 min old  incident 5"),
        (3600, "1.0 -> 1.1  incident 5"),
        (-1, "1.0 -> 1.1  incident 5"),
        (None, "1.0 -> 1.1  incident 5"),
    ],
)
def test_the_age_of_a_young_comparison_in_words(seconds: int | None, words: str) -> None:
    incident = Incident(
        state="open", code="7", start_ts=NOON, stop_ts=NOON, end_ts=NOON, opened_ts=NOON, alerts=1, exposure=None,
        candidate_share=None, dispersion=None, peak_value=9.0, threshold=6.0, baseline_errors=1, candidate_errors=9,
        ratio=9.0, ratio_low=None, ratio_high=None, rule="difference", detector="mean_difference", baseline="1.0",
        candidate="1.1", incident_id=5,
    )  # fmt: skip
    assert wording.change_line(Change("opened", incident, comparison_seconds=seconds)) == (
        f"OPENED    code 7  since 2026-11-23 12:00:00 UTC  1 -> 9 errors (x9)  difference mean 9, threshold 6  {words}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, True])
def test_an_incident_says_how_old_its_comparison_was_when_it_opened(tmp_path: Path, as_json: bool) -> None:
    """Build 1.1 sends its first record at 12:10; the first bin that fires ends at 12:16:10."""
    runs = Runs(tmp_path, threshold=1, as_json=as_json)
    runs.run(*(runs.file(minute, {}, builds=("1.0",)) for minute in range(10)))
    runs.run(*(runs.file(minute, {}) for minute in range(10, 16)))
    (line,) = runs.minute(16, {"7": [*range(60)] * 3})
    if as_json:
        assert json.loads(line)["comparison_seconds"] == 370
        assert json.loads(line)["opened_ts"] == "2026-11-23 12:16:10"
    else:
        assert "  1.0 -> 1.1  comparison 6 min old  incident 1" in line


@pytest.mark.slow
@pytest.mark.parametrize(("first", "seconds"), [("1.0", 970), ("1.1", 970)])
def test_a_comparison_of_named_builds_begins_with_the_later_one(tmp_path: Path, first: str, seconds: int) -> None:
    runs = Runs(tmp_path, threshold=1, as_json=True)
    named = (Comparison(baseline="1.0", candidate="1.1"),)
    runs.session = replace(runs.session, config=runs.session.config.model_copy(update={"comparison": named}))
    runs.run(runs.file(0, {}, builds=(first,)))
    runs.run(*(runs.file(minute, {}) for minute in range(1, 17)))
    (line,) = runs.minute(17, {"7": [*range(60)] * 3})
    assert json.loads(line)["comparison_seconds"] == seconds
