"""Verdicts as text, as JSON, and as an exit code."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from streammetrics.errors import EXIT_NOT_ENOUGH_DATA, EXIT_OPEN_INCIDENTS
from streammetrics.report import wording
from streammetrics.report.verdict.decide import Verdict
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import counted, named, printable

EXIT_CODES = {"not worse": 0, "not enough data": EXIT_NOT_ENOUGH_DATA, "worse": EXIT_OPEN_INCIDENTS}
"""From the best to the worst."""

MOST_CODES = 10


def exit_code(found: Sequence[Verdict]) -> int:
    """The exit code of the worst verdict."""
    order = list(EXIT_CODES)
    return EXIT_CODES[max((one.verdict for one in found), key=order.index)]


def is_open(found: Sequence[Verdict]) -> bool:
    """Whether more data may change the verdict."""
    return exit_code(found) == EXIT_CODES["not enough data"]


def render(found: Verdict) -> Iterator[str]:
    """The verdict, the comparison and the reason; then open incidents, or the increase that would be found per code."""
    pair = "" if found.baseline is None else f"  {printable(found.baseline)} -> {printable(str(found.candidate))}"
    time = "" if found.missing_seconds is None else f"; about {_minutes(found.missing_seconds)} at this traffic"
    yield f"{found.verdict}{pair}  {found.reason}{time}"
    for incident in found.incidents:
        yield f"  {wording.incident_line(incident)}"
    # First the codes that the verdict waits for, nearest first.
    codes = sorted(found.codes, key=lambda one: (one.is_doubling_found, -(one.doubling_part or 0), one.code))
    shown = [] if found.incidents else codes[:MOST_CODES]
    for one in shown:
        least = "no increase" if one.found_ratio is None else f"an increase by x{one.found_ratio:g} or more"
        yield f"  code {named(one.code)}: {least} would have been found"
    if len(shown) < len(found.codes) and shown:
        yield f"  and {counted(len(codes) - len(shown), 'more code')}: --json lists all"


def as_json(found: Verdict) -> str:
    """One line of JSON; times as ISO text in UTC."""
    return terminal.as_json(asdict(found))


def _minutes(seconds: int) -> str:
    return f"{seconds / 3600:.2g} h" if seconds >= 7200 else f"{max(1, round(seconds / 60))} min"
