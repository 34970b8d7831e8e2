"""The words of `status`, on literal values: how things stand is one value, and the text follows from it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.config import Mute
from streammetrics.query.publish import Published
from streammetrics.report.status import Status, render
from streammetrics.report.status.models import (
    Compared,
    Contents,
    Family,
    Feed,
    Mark,
    OpenIncident,
    OpenQuote,
    Pass,
    Promise,
    Reach,
    Share,
)
from streammetrics.report.status.words import promise_words

NOON = datetime(2026, 11, 23, 12)
PAIR: dict[str, Any] = {"baseline": "1.9", "candidate": "1.10"}
DONE = Pass(NOON, "done", alerts_new=1200, alerts_revised=2, alerts_retracted=0, error=None)
FAILED = replace(DONE, state="failed", error="OSError: no\nspace\x1b[31m")
INCIDENT = OpenIncident(
    **PAIR,
    rule="regression",
    code="7",
    start_ts=NOON,
    ratio=3.0,
    ratio_low=None,
    ratio_high=None,
    exposure=None,
    open=1,
)
JUDGED = Compared(
    **PAIR, judged_until=NOON, is_displaced=False, awaited=None, behind_seconds=0, judged_seconds=86400,
    awaits_users=False,
)  # fmt: skip
FAMILY = Family("", builds=["1.9", "1.10"], known=2, unread=None, builds_order="auto")
CONTENTS = Contents(
    first_ts=NOON - timedelta(hours=1), last_ts=NOON, records=3001, rejected=0, batches=1, rejected_last_day=0,
    reject_reason=None, late_last_day=0, replaced_files=0, replaced_path=None, ahead_files=0, ahead_path=None,
    ahead_batch_id=None, families=[FAMILY], last_pass=DONE, last_failure=None, open_incidents=[], comparisons=[JUDGED],
    reaches=[], promises=[], exposures=[], advice=[], marks=[], failing_channels=[],
    jobs=[],
)  # fmt: skip
STATUS = Status(NOON, Path("/s.duckdb"), 1_500_000, CONTENTS)


def lines(status: Status = STATUS, **contents: Any) -> dict[str, str]:
    """The lines by their names."""
    text = render(replace(status, contents=replace(CONTENTS, **contents)))
    return {line[:10].rstrip(): line[11:] for line in text.splitlines()}


def judged(found: Mapping[str, Any], **contents: Any) -> str:
    return lines(comparisons=[replace(JUDGED, **found)], **contents)["judged"]


def test_whole_text() -> None:
    assert render(STATUS).splitlines() == [
        "store      /s.duckdb, 1.5 MB",
        "history    2026-11-23 11:00:00 to 2026-11-23 12:00:00 UTC, 0 s ago",
        "records    3,001 in 1 batch, 0 rejected",
        "builds     1.9 < 1.10 (by version)",
        "last pass  2026-11-23 12:00:00: done, alerts: 1,200 new, 2 revised, 0 retracted",
        "open       no incidents",
        "judged     1.9 -> 1.10 up to 2026-11-23 12:00:00",
        "waiting    nothing",
    ]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            Published(Path("/p.duckdb"), NOON - timedelta(minutes=3), 0.84, 12_300_000),
            ", 12.3 MB, 3 min ago, written in 0.8 s",
        ),
        (Published(Path("/p.duckdb")), ": not yet"),
        (Published(Path("/p.duckdb"), reason="no DuckDB file"), ": cannot be read: no DuckDB file"),
    ],
)
def test_the_published_file_has_a_line_where_one_is_wanted(found: Published, words: str) -> None:
    assert lines(replace(STATUS, published=found))["published"] == f"/p.duckdb{words}"


@pytest.mark.parametrize(
    ("ago", "words"),
    [(1, "1 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7200, "2 h ago"), (400000, "4 d ago"),
     (-59, "59 s ahead of the clock")],
)  # fmt: skip
def test_ages_are_round(ago: int, words: str) -> None:
    status = replace(STATUS, now=NOON + timedelta(seconds=ago))
    assert lines(status)["history"].endswith(f" UTC, {words}")


def test_trouble_has_lines_of_its_own() -> None:
    failure = "2026-11-23 12:00:00: failed: OSError: no\\nspace\\x1b[31m"
    found = lines(
        replace(STATUS, refused=["a: is damaged"], unmatched=["[[source]] 'a': no file matches x"]),
        rejected=9, rejected_last_day=3, reject_reason="ts is no time", late_last_day=1, last_failure=FAILED,
    )  # fmt: skip
    assert found["records"] == "3,001 in 1 batch, 9 rejected"
    assert found["rejects"] == "3 in the last day, the most frequent reason: ts is no time"
    assert found["late"] == "1 record of the last day: counted, but too late to judge again"
    assert found["failed"] == failure
    assert len(found) == 12
    assert lines(last_pass=FAILED, last_failure=FAILED)["last pass"] == failure
    assert "failed" not in lines(last_pass=FAILED, last_failure=FAILED)


def test_mutes_are_listed_also_those_that_have_ended() -> None:
    mutes = (
        Mute(code="E_*", candidate="5.1*", until=NOON + timedelta(hours=1), reason="known"),
        Mute(rule="ratio", until=NOON),
    )
    text = render(replace(STATUS, mutes=mutes))
    assert [line[11:] for line in text.splitlines() if line.startswith("mute")] == [
        "code E_*, candidate 5.1* until 2026-11-23 13:00:00 UTC: known",
        "rule ratio: ENDED at 2026-11-23 12:00:00 UTC, remove it from config.toml",
    ]


def test_what_a_person_has_to_do() -> None:
    refused = [f"{name}: cannot be read\nset a = 1\nset b = 2" for name in "abcde"]
    status = replace(
        STATUS, refused=refused, unmatched=["no file matches"], contents=replace(CONTENTS, advice=["x", "y"])
    )
    assert [line[11:] for line in render(status).splitlines() if line.startswith("to do")] == [
        *(f"refused: {name}: cannot be read set a = 1; set b = 2" for name in "abc"),
        "2 more are refused: `streammetrics doctor` lists them",
        "no file matches",
        "x; y",
    ]


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        ({}, " (x3)"),
        ({"ratio": None}, ""),
        ({"ratio": None, "ratio_low": 4.25, "exposure": "assumed"}, " (at least x4.25)"),
        ({"ratio_low": 2.5, "ratio_high": 3.5, "exposure": "given"}, " (x3, 2.5 to 3.5)"),
        ({"ratio_low": 2.5, "ratio_high": 3.5, "exposure": "estimated"}, " (about x3, 2.5 to 3.5)"),
        ({"ratio_low": 1.5, "ratio_high": 30, "exposure": "equal"}, " (x3, at least x1.5)"),
    ],
)
def test_open_incidents_have_their_ratio(ratio: Mapping[str, Any], words: str) -> None:
    found = lines(open_incidents=[replace(INCIDENT, **ratio)])
    assert found["open"] == f"regression: 1 incident: code 7 since 2026-11-23 12:00:00{words}"


def test_of_many_incidents_the_rest_is_counted_rule_by_rule() -> None:
    shown = [replace(INCIDENT, code=code, ratio=None, open=5) for code in ("", "\x1b[31m", "9")]
    promise = Promise("regression", days_per_code=1000, codes=40, comparisons=1)
    assert lines(open_incidents=[*shown, replace(INCIDENT, rule="ratio")], promises=[promise])["open"] == (
        'regression: 5 incidents: code "" since 2026-11-23 12:00:00, code \\x1b[31m since 2026-11-23 12:00:00, '
        "code 9 since 2026-11-23 12:00:00 and 2 more; ratio: 1 incident: code 7 since 2026-11-23 12:00:00 (x3) "
        "(regression, 40 codes: at most one false incident in 25 days)"
    )


@pytest.mark.parametrize(
    ("codes", "words"), [(500, "2 days"), (501, "48 hours"), (100_040, "14 minutes"), (10**7, "9 seconds")]
)
def test_a_promise_of_many_codes_is_no_zero(codes: int, words: str) -> None:
    promise = Promise("regression", days_per_code=1000, codes=codes, comparisons=1)
    assert promise_words(promise) == f"regression, {codes:,} codes: at most one false incident in {words}"


def test_of_several_comparisons_each_incident_names_its_own() -> None:
    promise = Promise("regression", days_per_code=1000, codes=80, comparisons=2)
    found = lines(
        comparisons=[JUDGED, replace(JUDGED, candidate="1.2")], promises=[promise],
        open_incidents=[replace(INCIDENT, open=2, baseline="1.0", candidate=name) for name in ("1.1", "1.2")],
    )  # fmt: skip
    assert found["open"] == (
        "regression: 2 incidents: code 7 since 2026-11-23 12:00:00 (x3) 1.0 -> 1.1, "
        "code 7 since 2026-11-23 12:00:00 (x3) 1.0 -> 1.2 "
        "(regression, 80 codes of 2 comparisons: at most one false incident in 12 days)"
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"judged_until": None}, "not yet"),
        ({"awaited": "1.9", "behind_seconds": 10}, "up to 2026-11-23 12:00:00, 1.9 is awaited (10 s behind)"),
        (
            {"awaited": "1.9", "behind_seconds": 1800},
            "up to 2026-11-23 12:00:00, 1.9 is awaited (30 min behind), and until it sends nothing more is judged",
        ),
        ({"judged_seconds": -75600}, "not yet: its baseline begins in 21 h"),
        ({"is_displaced": True}, "not now: other comparisons go first ([builds] max_comparisons)"),
        ({"awaits_users": True}, "waits for the users of its builds: a file of [[exposure]] is incomplete"),
    ],
)
def test_how_far_a_comparison_is_judged(found: Mapping[str, Any], words: str) -> None:
    assert judged(found) == f"1.9 -> 1.10 {words}"


def test_of_many_comparisons_the_rest_is_counted() -> None:
    assert lines(comparisons=[JUDGED] * 5)["judged"].endswith("; and 2 more")


def test_no_comparison() -> None:
    assert lines(comparisons=[])["judged"] == "nothing now: builds are compared while both send records"
    assert lines(comparisons=[], families=[])["judged"] == "nothing yet"


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (None, "judged for 19 min: not even an increase of a typical code by x30 would have been found yet"),
        (2.0, "judged for 19 min: an increase of a typical code by about x2 or more would have been found"),
    ],
)
def test_of_a_young_comparison_it_says_what_would_have_been_found(ratio: float | None, words: str) -> None:
    reach = Reach(**PAIR, judged_seconds=1199, rate_ratio=ratio)
    assert (
        judged({}, reaches=[replace(reach, baseline="1.8"), reach])
        == f"1.9 -> 1.10 up to 2026-11-23 12:00:00 ({words})"
    )


@pytest.mark.parametrize(
    ("exposure", "words"),
    [
        ({"exposure": "assumed"}, "equal exposure assumed"),
        ({"exposure": "doubtful"}, "equal exposure assumed, which is doubtful: set exposure"),
        (
            {"exposure": "estimated", "share": 0.6634, "is_rising": True},
            "candidate has about 0.663 of the exposure, estimated: traffic or regression: it was 0.5 3 hours ago",
        ),
    ],
)
def test_how_exposure_is_known(exposure: Mapping[str, Any], words: str) -> None:
    found = Share(**{**PAIR, "share": 0.5, "former_share": 0.5, "is_rising": False, **exposure})
    assert judged({}, exposures=[found]) == f"1.9 -> 1.10 up to 2026-11-23 12:00:00, {words}"


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ({"family": "ios", "known": 5}, "ios: ... < 1.9 < 1.10 (by version)"),
        ({"builds_order": "first_seen"}, "1.9 < 1.10 (by first appearance, as set)"),
        ({"unread": ["1.9", "1.10"]}, "1.9 < 1.10 (by first appearance: no name reads as a version)"),
        ({"unread": ["1.9"]}, "1.9 < 1.10 (by version; by first appearance: 1.9)"),
    ],
)
def test_the_order_of_builds(family: Mapping[str, Any], words: str) -> None:
    assert lines(families=[replace(FAMILY, **family)])["builds"] == words


def test_feeds_that_fell_silent_are_named() -> None:
    last = NOON - timedelta(seconds=10)
    status = replace(
        STATUS,
        now=NOON + timedelta(hours=2),
        feeds=[Feed("a", last, NOON, is_silent=True), Feed("b", last, NOON, is_silent=False)],
    )
    assert lines(status)["sources"] == (
        "a: SILENT since 2026-11-23 11:59:50, loaded 2 h ago; b: last record 2026-11-23 11:59:50, loaded 2 h ago"
    )


def test_what_waits_to_be_read() -> None:
    mark = Mark("a", "ts", "x\x1b[31m")
    replaced = {"replaced_files": 1, "replaced_path": "/in/a.csv rewritten"}
    ahead = {"ahead_files": 2, "ahead_path": "/in/b.csv", "ahead_batch_id": 7}
    quote = replace(STATUS, waiting_files=1, waiting_bytes=26, open_quotes=[OpenQuote(Path("/in/c.csv"), 1200)])
    assert lines(quote)["waiting"] == (
        "1 file, 26 bytes; /in/c.csv waits from line 1,200 on, which opens a quote that is not closed yet"
    )
    assert lines(replace(STATUS, waiting_files=2, waiting_bytes=130), marks=[mark], **replaced, **ahead)["waiting"] == (
        "2 files, 130 bytes; 1 file replaced in the last day, perhaps before all was read, such as /in/a.csv "
        "rewritten; 2 files of the last day whose newest records are ahead of the clock, such as /in/b.csv: is "
        "timezone wrong? `streammetrics unload 7`, correct it, and they are read again; a was read up to ts x\\x1b[31m"
    )
