"""The description of a stream. Times inside a scenario are whole seconds from its start; rates are errors per second.

The rate of a code is what both builds send together while neither is worse: the candidate sends its share of the
exposure, the baseline the rest. Changes multiply these rates.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from math import cosh
from typing import TYPE_CHECKING, Literal

from streammetrics.config import Section
from streammetrics.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_EFFECT = re.compile(r"(?P<code>.+)=(?P<ratio>\d+(\.\d+)?)@(?P<second>\d+)")

_RAMP_STAIRS = 1000
"""Steps of a ramp, which is drawn as a staircase; steps of a short ramp are one second."""


class Change(Section):
    """One change of a stream.

    Without `code` it applies to all codes, without `seconds` it lasts to the end.

    step, spike, improvement: the candidate's rate is `ratio` times as high for `seconds`.
    ramp: the candidate's rate grows linearly from 1 to `ratio` times within `seconds`, then stays there.
    surge: the rates of both builds are `ratio` times as high for `seconds`.
    new_code: only the candidate sends `code`, for `seconds`.
    burst: one client, of either build by its share, sends `size` records of `code` within `seconds`.
    """

    kind: Literal["step", "ramp", "spike", "improvement", "surge", "new_code", "burst"]
    code: str | None = None
    at_second: int = 0
    seconds: int | None = None
    ratio: float | None = None
    size: int | None = None


class Scenario(Section):
    """A stream before it is drawn.

    `start` is naive UTC, a whole second. `codes` maps a code to its rate. The candidate has `candidate_share` of the
    exposure.
    """

    seed: int = 1
    start: datetime
    seconds: int
    baseline: str = "1.0"
    candidate: str = "1.1"
    codes: dict[str, float]
    candidate_share: float = 0.5
    changes: tuple[Change, ...] = ()

    @property
    def new_codes(self) -> dict[str | None, int]:
        """The codes that only the candidate sends, and since which second."""
        return {change.code: change.at_second for change in self.changes if change.kind == "new_code"}

    def end_second(self, change: Change) -> int:
        """When a change is over, or a ramp has grown."""
        return self.seconds if change.seconds is None else change.at_second + change.seconds

    def edges(self) -> "Floats":
        """Ascending seconds from 0 to the end: between two neighbors each rate is constant, save for ramps' slopes."""
        import numpy as np

        points = {0, self.seconds}
        for change in self.changes:
            start, end = change.at_second, self.end_second(change)
            points |= {start, end}
            if change.kind == "ramp":
                points.update(range(start, end, -(-(end - start) // _RAMP_STAIRS)))
        return np.array(sorted(point for point in points if point <= self.seconds), dtype=np.float64)

    def rates(self, code: str) -> "tuple[Floats, Floats]":
        """What the baseline and the candidate send of a code between two edges (errors per second), without bursts."""
        times = middles(self.edges())
        both = self.codes[code] * self._product(code, times, ("surge",))
        baseline = (1 - self.candidate_share) * both * (code not in self.new_codes)
        return baseline, self.candidate_share * both * self.candidate_factor(code, times)

    def candidate_factor(self, code: str, times: "Floats") -> "Floats":
        """The ratio of the candidate's rate of a code to the baseline's, at equal exposure.

        Of a new code, which the baseline never sends: 1 while it is sent, else 0.
        """
        return self._product(code, times, ("step", "ramp", "spike", "improvement", "new_code"))

    def expected_records(self) -> float:
        """The mean number of records over all seeds, without bursts."""
        import numpy as np

        rates = np.array([self.rates(code) for code in self.codes])
        return float(np.sum(rates * np.diff(self.edges())))

    def _product(self, code: str, times: "Floats", kinds: tuple[str, ...]) -> "Floats":
        import numpy as np

        product = np.ones_like(times)
        for change in self.changes:
            if change.kind in kinds and change.code in (None, code):
                start, end = change.at_second, self.end_second(change)
                if change.kind == "ramp":
                    grown = np.clip((times - start) / (end - start), 0, 1)
                else:
                    grown = ((times >= start) & (times < end)).astype(np.float64)
                product *= grown if change.ratio is None else 1 + (change.ratio - 1) * grown
        return product


def middles(edges: "Floats") -> "Floats":
    """The middle of each piece, where a linear rate equals its mean."""
    result: Floats = (edges[:-1] + edges[1:]) / 2
    return result


def effect(text: str) -> Change:
    """The step of `--effect CODE=RATIO@SECOND`.

    Raises:
        UsageError: it is of another form.
    """
    found = _EFFECT.fullmatch(text)
    if found is None:
        raise UsageError(f"--effect {text}: is not of the form CODE=RATIO@SECOND, such as 7=2.5@1800")
    return Change(kind="step", code=found["code"], at_second=int(found["second"]), ratio=float(found["ratio"]))


def demo_scenario(start: datetime) -> Scenario:
    """An hour of about 14,000 records that resembles a real export: many codes around zero, few far from it.

    Codes 2, 3 and 4 become more frequent in the candidate. The sizes are such that the rule `mean_difference` (bins of
    50 s, windows of 10 and 20 bins, threshold 6) sees means of 12 to 14 there; the most frequent level code has a
    standard deviation of 1.4 in a window of 10, so that nothing else comes near the threshold.
    """
    return Scenario(
        seed=10,
        start=start,
        seconds=3600,
        baseline="5.0007.510.011",
        candidate="5.0007.610.011",
        codes={str(code): round(0.386 / cosh(code / 4.4) ** 2, 5) for code in range(-17, 16)},
        changes=(
            Change(kind="step", code="2", at_second=15 * 60, ratio=2.5),
            Change(kind="step", code="3", at_second=20 * 60, ratio=3.2),
            Change(kind="step", code="4", at_second=25 * 60, ratio=3.5),
        ),
    )


def default_scenario(
    seed: int,
    start: datetime,
    seconds: int,
    records: int,
    codes: int,
    *,
    share: float = 0.5,
    effects: Sequence[Change] = (),
) -> Scenario:
    """Codes whose rates are spread evenly on a log scale, over 2.5 decades, with `effects` or a mix of all changes.

    The mix is on the most frequent of the `codes`, at least five, so that its changes can be found; a fiftieth of the
    records come in bursts. `records` is the mean over seeds; one stream deviates by about its square root.

    Raises:
        UsageError: an effect names a code that is not in the stream, or a time after its end.
    """
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(seed))
    names = [str(name) for name in rng.permutation(np.arange(codes) - codes // 2)]
    for one in effects:
        if one.code not in names or one.at_second >= seconds:
            raise UsageError(
                f"--effect {one.code}={one.ratio:g}@{one.at_second}: the codes are {-(codes // 2)} to "
                f"{codes - codes // 2 - 1}, and the stream ends at second {seconds}"
            )
    spread = 10 ** (-2.5 * np.arange(codes) / (codes - 1))
    changes, size = tuple(effects) or _mix(names, seconds / 60), records // 600
    bursts = tuple(
        Change(kind="burst", code=str(rng.choice(names)), at_second=int(second), seconds=3, size=size)
        for second in rng.integers(seconds - 2, size=12 if size and not effects else 0)
    )
    rates = dict(zip(names, map(float, spread), strict=True))
    draft = Scenario(seed=seed, start=start, seconds=seconds, codes=rates, candidate_share=share, changes=changes)
    scale = (records - size * len(bursts)) / draft.expected_records()
    rates = {name: float(rate * scale) for name, rate in rates.items()}
    return draft.model_copy(update={"codes": rates, "changes": (*changes, *bursts)})


def _mix(names: Sequence[str], sixtieth: float) -> tuple[Change, ...]:
    return (
        Change(kind="surge", at_second=int(12 * sixtieth), seconds=int(3 * sixtieth), ratio=2),
        Change(kind="improvement", code=names[0], at_second=int(30 * sixtieth), ratio=0.5),
        Change(kind="step", code=names[1], at_second=int(24 * sixtieth), ratio=2),
        Change(kind="ramp", code=names[2], at_second=int(18 * sixtieth), seconds=int(18 * sixtieth), ratio=3),
        Change(kind="spike", code=names[3], at_second=int(42 * sixtieth), seconds=int(6 * sixtieth), ratio=4),
        Change(kind="new_code", code=names[4], at_second=int(36 * sixtieth)),
    )
