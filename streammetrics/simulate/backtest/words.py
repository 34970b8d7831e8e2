"""What a backtest found, in words and as lines of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streammetrics.report.wording import incident_line
from streammetrics.runtime.terminal import as_json, counted, moment, printable
from streammetrics.simulate.backtest.history import Span
from streammetrics.simulate.backtest.inject import Detection
from streammetrics.simulate.backtest.null import Null


@dataclass(frozen=True)
class Summary:
    """So many incidents in the days of a span that were judged."""

    span: Span
    days: float
    incidents: int


Result = Mapping[str, Any] | Summary | Detection | Null
"""One result of a backtest; a mapping is an incident, by the names of its columns."""


def render(found: Result, seed: int, is_json: bool) -> str:
    """A result in words or as a line of JSON; `seed` decided the draws of a null history."""
    if isinstance(found, Summary):
        return summary(found.span, found.days, found.incidents, is_json)
    if isinstance(found, Detection):
        return detection(found, is_json)
    return null(found, seed, is_json) if isinstance(found, Null) else incident(found, is_json)


def incident(row: Mapping[str, Any], is_json: bool) -> str:
    """An incident that would have been reported."""
    return as_json({"kind": "incident", **row}) if is_json else incident_line(row)


def summary(span: Span, days: float, incidents: int, is_json: bool) -> str:
    """How many incidents in how many days that were judged."""
    per_day = incidents / days if days else None
    if is_json:
        fields = {"since": span.since_ts, "until": span.until_ts, "days": days, "incidents": incidents}
        return as_json({"kind": "summary", **fields, "incidents_per_day": per_day})
    stretch = f"{moment(span.since_ts)} to {moment(span.until_ts)} UTC"
    if per_day is None:
        return f"{stretch}: nothing was judged, for no two builds were compared and complete"
    return f"{stretch}: {days:.3g} d judged, {counted(incidents, 'incident')}, {per_day:.3g} a day"


def detection(found: Detection, is_json: bool) -> str:
    """When a rule found an increase that was added."""
    added = found.added
    wanted, pair = added.injection, added.pair
    if is_json:
        return as_json(
            {
                "kind": "injection", "code": wanted.code, "ratio": wanted.ratio, "at": wanted.at, "rule": found.rule,
                "baseline": pair.baseline, "candidate": pair.candidate, "errors_added": added.errors,
                "is_expected_rate": added.is_expected, "found_after_seconds": found.found_after_seconds,
                "was_open": found.was_open,
            }
        )  # fmt: skip
    rate = "the rate to be expected by the baseline's, for the candidate sent none" if added.is_expected else "its rate"
    then = "not found" if found.found_after_seconds is None else f"found after {found.found_after_seconds:,.0f} s"
    if found.was_open:
        then += ", but an incident was open before"
    return printable(
        f"injected code {wanted.code} x{wanted.ratio:g} from {moment(wanted.at)} UTC into {pair.candidate}, "
        f"{counted(added.errors, 'error')} more, from {rate}: {then}  {found.rule}"
    )


def null(found: Null, seed: int, is_json: bool) -> str:
    """How many false alarms a rule gave, beside what its setting promises."""
    pair = found.comparison
    if is_json:
        return as_json(
            {
                "kind": "null", "rule": found.rule, "baseline": pair.baseline, "candidate": pair.candidate,
                "builds": pair.builds, "repetitions": found.repetitions, "seed": seed, "codes": found.codes,
                "code_days": found.code_days, "incidents": found.incidents, "per_1000_code_days": found.rate,
                "low": found.low, "high": found.high, "promised": found.promised, "agrees": found.agrees,
                "enough_repetitions": found.enough_repetitions,
            }
        )  # fmt: skip
    head = f"null, {counted(found.repetitions, 'repetition')}: {printable(found.rule)}, "
    if not found.code_days:
        return f"{head}{printable(pair.baseline)} -> {printable(pair.candidate)}: nothing was judged"
    measured = (
        f"{printable(pair.baseline)} -> {printable(pair.candidate)}: {counted(found.incidents, 'false alarm')} in "
        f"{found.code_days:,.5g} code-days, {found.rate:.3g} per 1,000 code-days (95 %: {found.low:.3g} to "
        f"{found.high:.3g})"
    )
    if found.promised is None:
        return f"{head}{measured}; this rule promises nothing"
    return f"{head}{measured}; at most {found.promised:.3g} promised: {_verdict(found)}"


def _verdict(found: Null) -> str:
    if found.agrees is None:
        if (found.enough_repetitions or 0) <= found.repetitions:
            return "the interval holds that, and nothing speaks against the setting"
        return (
            "cannot tell, for these are too few code-days: "
            f"--null {found.enough_repetitions}, or as many times the days, would without a false alarm"
        )
    return "agrees with the setting" if found.agrees else "does not agree with the setting"
