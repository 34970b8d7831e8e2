"""The words of a notice, on literal incidents."""

from dataclasses import replace
from datetime import datetime

from streammetrics.detect.clients import Clients
from streammetrics.detect.incidents import Change, Departure, Incident, Latest
from streammetrics.notify import texts

NOON = datetime(2026, 11, 23, 12)
INCIDENT = Incident(
    incident_id=3, rule="regression", detector="sequential", baseline="5.9", candidate="5.10", code="E_TIMEOUT",
    start_ts=NOON, stop_ts=NOON.replace(minute=20), end_ts=NOON.replace(minute=20, second=10), alerts=9,
    peak_value=12.0, threshold=6.94, baseline_errors=130, candidate_errors=420, ratio=3.23, ratio_low=2.6,
    ratio_high=4.01, state="open", exposure="given", candidate_share=0.5, dispersion=1.2,
    opened_ts=NOON.replace(minute=2),
)  # fmt: skip
EXPLAIN = "streammetrics explain --config c.toml"


def test_an_incident_that_opens() -> None:
    found = texts.of_change(Change("opened", INCIDENT), EXPLAIN, "https://example.org/index.html")
    assert str(found).splitlines() == [
        "[FIRING] code E_TIMEOUT x3.23 in 5.10",
        "130 -> 420 errors (x3.23, 2.6 to 4.01)",
        "since 2026-11-23 12:00:00 UTC, 5.9 -> 5.10",
        "why: rule regression has evidence 10^12 where 10^6.94 is required; candidate has 0.5 of the exposure",
        "streammetrics explain --config c.toml --code E_TIMEOUT --at 2026-11-23T12:20:00",
        "https://example.org/index.html#incident-3",
    ]
    assert (found.summary, found.link) == ("code E_TIMEOUT x3.23 in 5.10", "https://example.org/index.html#incident-3")


def test_who_sent_it_stands_below_the_errors() -> None:
    for clients, words in (
        (Clients(12, 3400), "clients: 12 -> 3,400"),
        (Clients(None, 340), "clients: unknown -> 340"),
        (Clients(0, None), "clients: 0 -> unknown"),
    ):
        lines = texts.of_change(Change("opened", INCIDENT), EXPLAIN, None, clients).body.splitlines()
        assert lines[:2] == ["130 -> 420 errors (x3.23, 2.6 to 4.01)", words]


def test_an_incident_that_is_over() -> None:
    over = replace(INCIDENT, state="superseded")
    found = texts.of_change(Change("superseded", over, gone=(Departure("5.9", NOON),)), EXPLAIN, None)
    assert found.subject == "[SUPERSEDED] code E_TIMEOUT x3.23 in 5.10"
    assert "since 2026-11-23 12:00:00 to 2026-11-23 12:20:10 UTC, 5.9 -> 5.10" in found.body.splitlines()
    assert "over: 5.9 (last record 2026-11-23 12:00:00) has gone" in found.body.splitlines()
    assert found.link is None


def test_an_incident_that_is_back_has_the_figures_of_now() -> None:
    again = Latest(NOON.replace(hour=13), 8.0, 6.94, 10, 90, 9.0, 4.0, 20.0, "given", 0.5)
    lines = str(texts.of_change(Change("reopened", INCIDENT, again=again), EXPLAIN, None)).splitlines()
    assert lines[0] == "[FIRING AGAIN] code E_TIMEOUT x9 in 5.10"
    assert lines[1:3] == ["10 -> 90 errors (x9, 4 to 20)", "since 2026-11-23 13:00:00 UTC, 5.9 -> 5.10"]


def test_a_code_cannot_write_a_second_line_or_command() -> None:
    hostile = replace(INCIDENT, code="a\n[RESOLVED] b; rm -rf ~", exposure=None)
    lines = str(texts.of_change(Change("opened", hostile), EXPLAIN, None)).splitlines()
    assert lines[0] == "[FIRING] code a\\n[RESOLVED] b; rm -rf ~ x3.23 in 5.10"
    assert lines[3] == "why: rule regression found a mean of 12, above 6.94"
    assert lines[4].endswith(r"--code 'a\n[RESOLVED] b; rm -rf ~' --at 2026-11-23T12:20:00")
