"""The words of `explain`, on literal values."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from streammetrics.report.explain import Explanation, render
from streammetrics.report.explain.facts import Likelihood, Mean

NOON = datetime(2026, 11, 23, 12)
LATER = NOON + timedelta(hours=1)
FOUND = Explanation(
    rule="regression", detector="sequential", code="7\x1b", start_ts=NOON,
    end_ts=NOON + timedelta(seconds=10), gate=None, baseline="1.9", candidate="1.10", value=8.5,
    threshold=6.9365, short_by=None, doubt=0.0, is_doubted=False, has_ended=False, rate_ratio=3.0,
    spread_bins=2.0, min_bins=9, missed_errors=7.5, bin_baseline_errors=5, bin_candidate_errors=15,
    onset=NOON, window_bins=30, baseline_errors=100, candidate_errors=310, ratio=3.1, ratio_low=2.5,
    ratio_high=3.9, exposure="assumed", candidate_share=0.5, dispersion=2.0, weight=0.5,
    mean_dispersion=1.75, rules_from=NOON, rules_until=None, judged_until=NOON, awaited_build=None,
    gap_build="1.9", gap_from=NOON, gap_until=LATER, windows=(),
    ratios=(Likelihood(3.0, 1.0, 9 * math.log(10), 16.0),),
)  # fmt: skip
MEAN: dict[str, Any] = {
    "detector": "mean_ratio", "doubt": None, "value": 5.5, "threshold": 1.25, "exposure": None, "candidate_share": None,
    "weight": None, "ratio_low": None, "ratio_high": None, "ratios": (), "windows": (Mean(5, 5.5),),
}  # fmt: skip
ENDED = "that an increase has ended is 20.1 times likelier than that it goes on"
REACHED = "the evidence, 10^8.5, has reached the required 10^6.936"
SHORT = {"value": 4.0, "short_by": 863.0}


def lines(**changes: Any) -> dict[str, str]:
    return {line[2:14].rstrip(): line[14:] for line in render(replace(FOUND, **changes)).splitlines()[1:]}


def test_whole_text() -> None:
    assert render(FOUND).splitlines() == [
        "code 7\\x1b  2026-11-23 12:00:00 to 12:00:10 UTC",
        "  rule        regression (sequential)",
        "  builds      1.9 -> 1.10",
        f"  fired       {REACHED}",
        "  in the bin  5 -> 15 errors",
        "  since       2026-11-23 12:00:00, the onset as estimated in this bin, 30 bins: 100 -> 310 errors "
        "(x3.1, 2.5 to 3.9)",
        "              (an incident keeps the onset of its first alert)",
        "  exposure    equal exposure assumed",
        "  dispersion  2 in this bin (the codes' median, or its own if surely more): here an error counts for 0.5; "
        "1.75 since then, as in an alert",
        "  ratios         x3: 10^9 times likelier than no increase, required 10^6.949",
    ]


def test_whole_text_of_a_mean() -> None:
    assert render(replace(FOUND, **MEAN)).splitlines()[1:] == [
        "  rule        regression (mean_ratio)",
        "  builds      1.9 -> 1.10",
        "  fired       the mean, 5.5, is above the threshold, 1.25",
        "  in the bin  5 -> 15 errors",
        "  since       2026-11-23 12:00:00, the beginning of its highest window, 30 bins: 100 -> 310 errors (x3.1)",
        "  windows         5 bins: mean 5.5",
    ]


@pytest.mark.parametrize(
    ("gate", "changes", "words"),
    [
        ("no comparison", {}, "no two builds were compared near that time"),
        ("pair", {}, "these builds are compared in bins that end after 2026-11-23 12:00:00"),
        ("incomplete", {}, "the bin is not complete yet: both builds are awaited, received up to 2026-11-23 12:00:00"),
        (
            "incomplete",
            {"awaited_build": "1.10", "judged_until": None},
            "the bin is not complete yet: build 1.10 is awaited, received up to never",
        ),
        (
            "gap",
            {},
            "build 1.9 was silent after 2026-11-23 12:00:00 and until 2026-11-23 13:00:00: its feed failed",
        ),
        (
            "place",
            {},
            "not judged then: [builds] max_comparisons larger or newer comparisons of the family came first",
        ),
        ("no record", {}, "neither build sent the code near that time"),
        ("evidence", SHORT, "the evidence is short by a factor of 863: 10^4, required 10^6.936"),
        ("evidence", {"value": None}, "there is no evidence: no error of the last hour counts"),
        (
            "recovery",
            {**SHORT, "doubt": 3.0},
            f"it is over: {ENDED}, and of what came since then the evidence is short by a factor of 863: 10^4, "
            "required 10^6.936",
        ),
        (
            "brief",
            {},
            f"{REACHED}, but the candidate's excess errors are concentrated in about 2 bins, and more than 9 are "
            "required: it may be one client's burst",
        ),
        (
            "traffic",
            {},
            f"{REACHED}, but most other codes rose alike since then, as when the candidate gets more users, and the "
            "increase beyond that is not enough",
        ),
        (
            "silence",
            {},
            f"it is over: {REACHED}, but neither build sends the code any more: 7.5 more errors were expected since "
            "its last one",
        ),
        ("threshold", MEAN, "no mean is above the threshold: the highest is 5.5"),
    ],
)
def test_which_gate_closed(gate: str, changes: Mapping[str, Any], words: str) -> None:
    assert lines(gate=gate, **changes)["not fired"] == words


def test_so_far_has_both_figures_under_their_names() -> None:
    assert lines(gate="gap")["so far"] == "evidence 10^8.5, required 10^6.936"
    assert lines(gate="incomplete", **MEAN)["so far"] == "mean 5.5, threshold 1.25"
    assert "so far" not in lines(gate="gap", threshold=None)


@pytest.mark.parametrize(
    ("has_ended", "why"), [(False, "not enough to call it over"), (True, "what came since then is enough alone")]
)
def test_what_speaks_against_an_alert(has_ended: bool, why: str) -> None:
    assert lines(is_doubted=True, doubt=3.0, has_ended=has_ended)["but"] == f"{ENDED}: {why}"
    assert "but" not in lines(doubt=3.0)
    assert "times likelier" in lines(is_doubted=True, doubt=9e9)["but"], "no float holds its exponential"


def test_the_least_ratio_of_the_rule() -> None:
    ratio = replace(FOUND.ratios[0], min_ratio=1.5)
    assert lines(ratios=(ratio,))["ratios"] == "   x3: 10^9 times likelier than x1.5, required 10^6.949"
