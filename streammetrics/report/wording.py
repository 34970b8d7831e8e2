"""Alerts, incidents, ratios and exposure in words, for a terminal or the mail that cron sends."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from streammetrics.detect.incidents import Alert, Change, Departure, Incident
from streammetrics.detect.new_codes import NewCodes
from streammetrics.runtime.terminal import counted, figure, moment, named, power, printable

MOST_LINES = 20
"""Most lines of a report; the rest is counted."""

YOUNG_SECONDS = 3600
"""If a comparison was younger than this when an incident opened, its age is printed."""

_WIDE = 3
"""An upper bound of this many times the ratio is not printed."""

_EXPOSURES = {
    "assumed": "equal exposure assumed",
    "doubtful": "equal exposure assumed, which is doubtful: set exposure",
    "equal": "equal exposure",
    "given": "candidate has {share:.3g} of the exposure",
    "changing": "candidate has {share:.3g} of the exposure on average",
    "estimated": "candidate has about {share:.3g} of the exposure, estimated: traffic or regression",
}


def exposure(kind: str, candidate_share: float) -> str:
    """The candidate's share of the users and how it is known, as text."""
    return _EXPOSURES[kind].format(share=candidate_share)


def first_lines(lines: Sequence[tuple[str, str]], noun: str, most: int | None = MOST_LINES) -> Iterator[str]:
    """The first `most` of lines with their codes (None: all), then a line that counts the rest by code."""
    yield from (line for _, line in lines[:most])
    left = Counter(code for code, _ in lines[len(lines) if most is None else most :])
    if left:
        by_code = ", ".join(f"{named(code)} ({count})" for code, count in left.most_common(MOST_LINES))
        more = "" if len(left) <= MOST_LINES else f", {counted(len(left) - MOST_LINES, 'more code')}"
        yield f"... and {counted(left.total(), f'more {noun}')}, by code: {by_code}{more}"


def alert_line(alert: Alert) -> str:
    """An alert in one line, in the form of an incident."""
    return f"ALERT     {_line(alert, alert.value)}"


def change_line(change: Change) -> str:
    """A changed incident in one line. A reopened incident shows the onset and ratio of its latest alert."""
    incident, first = change.incident, None
    if change.again is not None:
        since = max(incident.start_ts, change.again.start_ts)
        first = incident.start_ts if since > incident.start_ts else None
        incident = replace(incident, **{**vars(change.again), "start_ts": since})
    # The age of a comparison shows how little data there were when the incident opened.
    age = _age(change.comparison_seconds) if change.change == "opened" else ""
    gone = "" if change.gone is None else f"{departed(change.gone)}  "
    if change.change == "withdrawn":
        gone = "the evidence is gone: late or removed records, or other settings  "
    return f"{change.change.upper():<9} {_line(incident, incident.peak_value, first, age + gone)}"


def new_code_lines(found: Sequence[NewCodes]) -> Iterator[str]:
    """One line per comparison: its new codes with their errors, the most frequent first, then the number of others."""
    candidates = Counter(one.candidate for one in found)
    for one in found:
        frequent = ", ".join(f"{named(code.code)} {code.candidate_errors:,}" for code in one.most_frequent)
        rest = one.codes - len(one.most_frequent)
        more = f", and {rest:,} more" if rest else ""
        # Two comparisons may have the same candidate.
        other = f", not in {printable(one.baseline)}" if candidates[one.candidate] > 1 else ""
        yield f"NEW  {counted(one.codes, 'code')} only in {printable(one.candidate)}{other}: {frequent}{more}"


def incident_line(incident: Incident) -> str:
    """An incident in a line: code, since when, by how much, by what rule."""
    return _line(incident, incident.peak_value)


def _line(found: Incident | Alert, value: float, first: datetime | None = None, more: str = "") -> str:
    """Code, since when and `first`, by how much, by what rule and `value`, builds, and `more`."""
    until = "" if found.state == "open" else f" to {moment(found.end_ts)}"
    since = f"{'since' if first is None else 'again since'} {moment(found.start_ts)}{until} UTC"
    return (
        f"code {named(found.code)}  {since}{'' if first is None else f' (first {moment(first)})'}  "
        f"{how_much(found)}  {printable(found.rule)} {_strength(found, value)}  "
        f"{printable(found.baseline)} -> {printable(found.candidate)}  {more}incident {found.incident_id}"
    )


def _strength(found: Incident | Alert, value: float) -> str:
    """The value and what was required: evidence for `sequential`, a mean and its threshold for the other rules."""
    if found.exposure is None or found.candidate_share is None:
        return f"mean {figure(value)}, threshold {figure(found.threshold)}"
    words = exposure(found.exposure, found.candidate_share)
    return f"evidence {power(value)}, required {power(found.threshold)}, {words}"


def departed(gone: Sequence[Departure]) -> str:
    """Why the comparison of an incident is no longer judged."""
    if not gone:
        return "other comparisons took its place"
    ended = " and ".join(f"{printable(one.build)} (last record {moment(one.last_ts)})" for one in gone)
    return f"{ended} {'has' if len(gone) == 1 else 'have'} gone"


def _age(seconds: int | None) -> str:
    # Settings may have changed since, so that the comparison now begins later.
    if seconds is None or not 0 <= seconds < YOUNG_SECONDS:
        return ""
    return f"comparison {f'{seconds // 60} min' if seconds >= 60 else f'{seconds} s'} old  "


class Ratio(Protocol):
    """An object with a ratio: an alert, an incident, or an explanation."""

    @property
    def exposure(self) -> str | None: ...
    @property
    def ratio(self) -> float | None: ...
    @property
    def ratio_low(self) -> float | None: ...
    @property
    def ratio_high(self) -> float | None: ...


class Counts(Ratio, Protocol):
    """An object that also has the errors of both builds."""

    @property
    def baseline_errors(self) -> int | None: ...
    @property
    def candidate_errors(self) -> int | None: ...


def how_much(found: Counts) -> str:
    """Counts of both builds, and the ratio of their rates, if the baseline has errors.

    With the 95 % interval if the rule has one; it is valid at any time.
    """
    return f"{found.baseline_errors:,} -> {found.candidate_errors:,} errors{ratio(found)}"


def ratio(found: Ratio) -> str:
    """The ratio and its bounds in parentheses, as far as they are known, to be appended to other text."""
    about = "about " if found.exposure in ("changing", "estimated") else ""
    value, low, high = found.ratio, found.ratio_low, found.ratio_high
    if low is None:
        return "" if value is None else f" (x{value:.3g})"
    if value is None or high is None:
        return f" (at least x{low:.3g})"
    if high > _WIDE * value:
        # The baseline has few errors, so the upper bound is not known.
        return f" ({about}x{value:.3g}, at least x{low:.2g})"
    return f" ({about}x{value:.3g}, {low:.3g} to {high:.3g})"
