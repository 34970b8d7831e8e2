"""An explanation in words, for the engineer who was called."""

import math
from collections.abc import Iterator
from datetime import datetime

from streammetrics.report import wording
from streammetrics.report.explain.facts import Explanation, Likelihood
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import counted, figure, moment, named, power, printable

UNITS = {
    "sequential": {
        "value": "log10", "threshold": "log10", "doubt": "natural logarithm",
        "log_likelihood": "natural logarithm", "log_threshold": "natural logarithm",
        "rate_ratio": "candidate's rate over the baseline's", "onset": "as estimated in this bin",
        "spread_bins": "bins that equal errors above the usual would lie in",
        "dispersion": "of this bin's block of two minutes", "mean_dispersion": "since the onset, as in alerts",
    },
    "mean_ratio": {"value": "ratio", "threshold": "ratio", "mean": "ratio"},
    "mean_difference": {"value": "errors in a bin", "threshold": "errors in a bin", "mean": "errors in a bin"},
}  # fmt: skip
"""The units of a detector's figures, in JSON."""

_MOST_DOUBT = 600
"""The largest argument of `exp` that gives a float."""


def as_json(found: Explanation) -> str:
    """The same as one line of JSON, times as ISO text in UTC, with the units of its figures."""
    return terminal.as_json({**vars(found), "units": UNITS[found.detector]})


def render(found: Explanation) -> str:
    """A block of lines: the verdict first, then the facts."""
    head = f"code {named(found.code)}  {moment(found.start_ts)} to {found.end_ts:%H:%M:%S} UTC"
    lines = [("rule", f"{found.rule} ({found.detector})")]
    if found.baseline is not None:
        lines.append(("builds", f"{found.baseline} -> {found.candidate}"))
    lines.append(("fired" if found.gate is None else "not fired", verdict(found)))
    lines += _figures(found)
    return "\n".join([printable(head), *(f"  {name:<11} {printable(text)}" for name, text in lines)]) + "\n"


def verdict(found: Explanation) -> str:
    """Why it fired, or which gate prevented it, in a sentence."""
    match found.gate:
        case None if found.doubt is not None:
            return _reached(found)
        case None:
            return f"the mean, {_figure(found.value)}, is above the threshold, {_figure(found.threshold)}"
        case "no comparison":
            return "no two builds were compared near that time"
        case "pair":
            return f"these builds are compared in bins that end {_stretch(found.rules_from, found.rules_until)}"
        case "incomplete":
            awaited = "both builds are" if found.awaited_build is None else f"build {found.awaited_build} is"
            return f"the bin is not complete yet: {awaited} awaited, received up to {_moment(found.judged_until)}"
        case "gap":
            stretch = _stretch(found.gap_from, found.gap_until)
            return f"build {found.gap_build} was silent {stretch}: its feed failed"
        case "place":
            return "not judged then: [builds] max_comparisons larger or newer comparisons of the family came first"
        case "no record":
            return "neither build sent the code near that time"
        case "recovery":
            return f"it is over: {_ended(found)}, and of what came since then {_short(found)}"
        case "brief":
            return (
                f"{_reached(found)}, but the candidate's excess errors are concentrated in about "
                f"{_figure(found.spread_bins)} bins, and more than {found.min_bins} are required: it may be one "
                "client's burst"
            )
        case "traffic":
            return (
                f"{_reached(found)}, but most other codes rose alike since then, as when the candidate gets more "
                "users, and the increase beyond that is not enough"
            )
        case "silence":
            return (
                f"it is over: {_reached(found)}, but neither build sends the code any more: "
                f"{found.missed_errors:,.3g} more errors were expected since its last one"
            )
        case "threshold":
            return f"no mean is above the threshold: the highest is {_figure(found.value)}"
    return _short(found)


def _reached(found: Explanation) -> str:
    return f"the evidence, {_power(found.value)}, has reached the required {_power(found.threshold)}"


def _ended(found: Explanation) -> str:
    """How much likelier it is that the increase has ended."""
    likelier = math.exp(min(found.doubt or 0, _MOST_DOUBT))
    return f"that an increase has ended is {likelier:.3g} times likelier than that it goes on"


def _short(found: Explanation) -> str:
    """How much evidence is missing."""
    if found.short_by is None:
        return "there is no evidence: no error of the last hour counts"
    value, threshold = _power(found.value), _power(found.threshold)
    return f"the evidence is short by a factor of {found.short_by:,.3g}: {value}, required {threshold}"


def _figures(found: Explanation) -> Iterator[tuple[str, str]]:
    is_mean = found.detector != "sequential"
    if found.is_doubted and found.gate is None:
        why = "what came since then is enough alone" if found.has_ended else "not enough to call it over"
        yield "but", f"{_ended(found)}: {why}"
    if found.bin_baseline_errors is not None:
        yield "in the bin", f"{found.bin_baseline_errors:,} -> {found.bin_candidate_errors:,} errors"
    if found.onset is not None:
        bins = counted(found.window_bins or 0, "bin")
        where = "the beginning of its highest window" if is_mean else "the onset as estimated in this bin"
        yield "since", f"{moment(found.onset)}, {where}, {bins}: {wording.how_much(found)}"
        if not is_mean:
            yield "", "(an incident keeps the onset of its first alert)"
    if found.gate in ("incomplete", "gap") and found.threshold is not None:
        show, terms = (_figure, ("mean", "threshold")) if is_mean else (_power, ("evidence", "required"))
        yield "so far", f"{terms[0]} {show(found.value)}, {terms[1]} {show(found.threshold)}"
    if found.candidate_share is not None and found.exposure is not None:
        yield "exposure", wording.exposure(found.exposure, found.candidate_share)
    if found.weight is not None:
        mean = found.mean_dispersion
        since = "" if mean is None else f"; {mean:.4g} since then, as in an alert"
        counts = f"here an error counts for {found.weight:.4g}"
        known = f"{found.dispersion:.4g} in this bin (the codes' median, or its own if surely more)"
        yield "dispersion", f"{known}: {counts}{since}"
    for place, ratio in enumerate(found.ratios):
        yield "ratios" if place == 0 else "", _grid(ratio)
    for place, window in enumerate(found.windows):
        bins = counted(window.window_bins, "bin")
        yield "windows" if place == 0 else "", f"{bins:>10}: mean {figure(window.mean)}"


def _grid(ratio: Likelihood) -> str:
    least = "no increase" if ratio.min_ratio == 1 else f"x{figure(ratio.min_ratio)}"
    value, required = (_power(nats / math.log(10)) for nats in (ratio.log_likelihood, ratio.log_threshold))
    rate = f"x{figure(ratio.rate_ratio)}"
    return f"{rate:>5}: {value} times likelier than {least}, required {required}"


def _stretch(since: datetime | None, until: datetime | None) -> str:
    parts = [f"after {moment(since)}"] if since is not None else []
    parts += [f"until {moment(until)}"] if until is not None else []
    return " and ".join(parts)


def _moment(value: datetime | None) -> str:
    return "never" if value is None else moment(value)


def _power(log10: float | None) -> str:
    """Evidence in the form of alerts: a power of ten."""
    return "unknown" if log10 is None else power(log10, 4)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else figure(value)
