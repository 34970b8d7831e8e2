"""Results of a backtest: incidents and their rate, delays of added increases, and false alarms."""

import math
from dataclasses import asdict, dataclass
from datetime import datetime

from streammetrics.detect.incidents import Incident
from streammetrics.report.wording import incident_line
from streammetrics.runtime.terminal import as_json, counted, moment, named, printable
from streammetrics.simulate.backtest import poisson


@dataclass(frozen=True)
class Summary:
    """The number of incidents in the judged days of a span."""

    since: datetime
    until: datetime
    days: float
    incidents: int
    incidents_per_day: float | None

    def words(self) -> str:
        stretch = f"{moment(self.since)} to {moment(self.until)} UTC"
        if self.incidents_per_day is None:
            return f"{stretch}: nothing was judged, because no two builds were compared and complete"
        incidents = counted(self.incidents, "incident")
        return f"{stretch}: {self.days:.3g} d judged, {incidents}, {self.incidents_per_day:.3g} a day"


@dataclass(frozen=True)
class Detection:
    """After how many seconds a rule found an injected increase (None: never). `was_open`: an incident was open before.

    `is_expected_rate`: `ratio` multiplies the rate expected from the baseline's errors.
    """

    code: str
    ratio: float
    at: datetime
    rule: str
    baseline: str
    candidate: str
    errors_added: int
    is_expected_rate: bool
    found_after_seconds: float | None
    was_open: bool

    def words(self) -> str:
        rate = "its rate"
        if self.is_expected_rate:
            rate = "the rate expected from the baseline's, because the candidate sent none"
        then = "not found" if self.found_after_seconds is None else f"found after {self.found_after_seconds:,.0f} s"
        if self.was_open:
            then += ", but an incident was open before"
        return printable(
            f"injected code {named(self.code)} x{self.ratio:g} from {moment(self.at)} UTC into {self.candidate}, "
            f"{counted(self.errors_added, 'error')} more, from {rate}: {then}  {self.rule}"
        )


@dataclass(frozen=True)
class Null:
    """False alarms (incidents) of a rule on a history without an increase, and the promised number.

    The interval of the rate, per 1,000 code-days, is exact (95 %). `promised` is None for rules that promise nothing.
    """

    rule: str
    baseline: str
    candidate: str
    builds: str
    repetitions: int
    seed: int
    codes: int
    code_days: float
    incidents: int
    per_1000_code_days: float
    low: float
    high: float
    promised: float | None

    @property
    def agrees(self) -> bool | None:
        """Whether the promise is kept: True or False if the whole interval is on one side of the promised rate.

        None if the interval contains the promised rate, or nothing is promised, or nothing was judged.
        """
        if self.promised is None or not self.code_days or self.low <= self.promised < self.high:
            return None
        return self.high <= self.promised

    @property
    def enough_repetitions(self) -> int | None:
        """How many repetitions would show that the promise is kept, if none of them had a false alarm."""
        if self.promised is None or not self.code_days:
            return None
        return math.ceil(1000 * poisson.interval(0)[1] / self.promised / self.code_days * self.repetitions)

    def words(self) -> str:
        head = f"null, {counted(self.repetitions, 'repetition')}: {self.rule}, {self.baseline} -> {self.candidate}: "
        if not self.code_days:
            return printable(f"{head}nothing was judged")
        return printable(
            f"{head}{counted(self.incidents, 'false alarm')} in {self.code_days:,.5g} code-days, "
            f"{self.per_1000_code_days:.3g} per 1,000 code-days (95 %: {self.low:.3g} to {self.high:.3g}); "
            f"{self._verdict()}"
        )

    def _verdict(self) -> str:
        if self.promised is None:
            return "this rule promises nothing"
        promise = f"at most {self.promised:.3g} promised: "
        if self.agrees is not None:
            return promise + ("agrees with the setting" if self.agrees else "does not agree with the setting")
        if (self.enough_repetitions or 0) <= self.repetitions:
            return f"{promise}the interval contains that, so nothing contradicts the setting"
        return (
            f"{promise}too few code-days to decide: --null {self.enough_repetitions}, "
            "or as many times the days, would be enough without a false alarm"
        )


Result = Incident | Summary | Detection | Null
"""One result of a backtest."""

_LATER = ("end_ts", "exposure", "candidate_share", "dispersion", "opened_ts")
"""The last columns of the view `incidents`, in its order."""


def render(found: Result, is_json: bool) -> str:
    """A result as text or as a line of JSON."""
    if not is_json:
        return incident_line(found) if isinstance(found, Incident) else found.words()
    if isinstance(found, Incident):
        row = {"kind": "incident", **vars(found)}
        for name in _LATER:
            row[name] = row.pop(name)
        return as_json(row)
    if isinstance(found, Null):
        more = {"agrees": found.agrees, "enough_repetitions": found.enough_repetitions}
        return as_json({"kind": "null", **asdict(found), **more})
    return as_json({"kind": "summary" if isinstance(found, Summary) else "injection", **asdict(found)})
