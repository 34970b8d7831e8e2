"""Scenario in, records out: Poisson arrivals at the scenario's rates, plus the bursts that are not Poisson.

The generator is PCG64 with the scenario's seed, and draws in a fixed order: one numpy version makes the same records of
a scenario everywhere. (numpy does not promise the same draws across its own versions: NEP 19.)
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streammetrics.simulate.generate.scenario import Change, Scenario

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_RAMP_STAIRS = 1000
"""A ramp is drawn as a staircase, of a second each where it is short: no test can distinguish it from a slope."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Records in the order of their time, those of one second in random order.

    `ts` are datetime64[s], UTC; `build` is 0 for the baseline and 1 for the candidate, `code` an index into the
    scenario's codes.
    """

    scenario: Scenario
    ts: "NDArray[np.datetime64]"
    build: "NDArray[np.int64]"
    code: "NDArray[np.int64]"


def generate(scenario: Scenario) -> Stream:
    """Draw the records of a scenario; the same scenario gives the same records."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(scenario.seed))
    edges = piece_edges(scenario)
    parts: list[tuple[Floats, int, int]] = []
    for index, code in enumerate(scenario.codes):
        for build, rates in enumerate(build_rates(scenario, code, middles(edges))):
            parts.append((_arrivals(rng, edges, rates), build, index))
    places = {code: index for index, code in enumerate(scenario.codes)}
    for change in scenario.changes:
        if change.kind == "burst" and change.code is not None:
            times = rng.uniform(change.at_second, scenario.end_second(change), change.size)
            share = candidate_share(scenario, np.array([change.at_second]))
            parts.append((times, int(rng.random() < share[0]), places[change.code]))
    lengths = [len(times) for times, _, _ in parts]
    times = np.concatenate([times for times, _, _ in parts])
    order = np.argsort(times)
    # Rounding may reach the end itself, which is no longer within.
    seconds = np.minimum(times[order].astype(np.int64), scenario.seconds - 1)
    return Stream(
        scenario=scenario,
        ts=np.datetime64(scenario.start, "s") + seconds.astype("timedelta64[s]"),
        build=np.repeat([build for _, build, _ in parts], lengths)[order],
        code=np.repeat([code for _, _, code in parts], lengths)[order],
    )


def expected_arrivals(scenario: Scenario) -> float:
    """The mean number of records over all seeds, without bursts."""
    import numpy as np

    edges = piece_edges(scenario)
    rates = np.array([build_rates(scenario, code, middles(edges)) for code in scenario.codes])
    return float(np.sum(rates * np.diff(edges)))


def piece_edges(scenario: Scenario) -> "Floats":
    """Ascending seconds from 0 to the end: between two neighbours every rate is constant, save for ramps' slopes."""
    import numpy as np

    points = {0, scenario.seconds, *(second for second, _ in scenario.candidate_share)}
    for change in scenario.changes:
        start, end = change.at_second, scenario.end_second(change)
        points |= {start, end}
        if change.kind == "ramp":
            points.update(range(start, end, -(-(end - start) // _RAMP_STAIRS)))
    return np.array(sorted(point for point in points if point <= scenario.seconds), dtype=np.float64)


def middles(edges: "Floats") -> "Floats":
    """The middle of each piece, where a linear rate has its mean."""
    result: Floats = (edges[:-1] + edges[1:]) / 2
    return result


def build_rates(scenario: Scenario, code: str, times: "Floats") -> "tuple[Floats, Floats]":
    """What the baseline and the candidate send of a code at these seconds, errors per second; without bursts."""
    share = candidate_share(scenario, times)
    both = scenario.codes[code] * _product(scenario, code, times, ("surge",))
    baseline = (1 - share) * both * (code not in scenario.new_codes)
    return baseline, share * both * candidate_factor(scenario, code, times)


def candidate_share(scenario: Scenario, times: "Floats") -> "Floats":
    """The candidate's share of the exposure at these seconds, 0 to 1."""
    import numpy as np

    since, shares = (np.array(column, dtype=np.float64) for column in zip(*scenario.candidate_share, strict=True))
    at_times: Floats = shares[np.searchsorted(since, times, side="right") - 1]
    return at_times


def candidate_factor(scenario: Scenario, code: str, times: "Floats") -> "Floats":
    """How many times as high the candidate's rate of a code is as the baseline's, at equal exposure.

    Of a new code, which the baseline never sends: 1 while it is sent, else 0.
    """
    return _product(scenario, code, times, ("step", "ramp", "spike", "improvement", "new_code"))


def _product(scenario: Scenario, code: str, times: "Floats", kinds: tuple[str, ...]) -> "Floats":
    import numpy as np

    product = np.ones_like(times)
    for change in scenario.changes:
        if change.kind in kinds and change.code in (None, code):
            product *= _factor(change, scenario.end_second(change), times)
    return product


def _factor(change: Change, end_second: int, times: "Floats") -> "Floats":
    import numpy as np

    if change.kind == "ramp":
        grown = np.clip((times - change.at_second) / (end_second - change.at_second), 0, 1)
    else:
        grown = ((times >= change.at_second) & (times < end_second)).astype(np.float64)
    factor: Floats = grown if change.ratio is None else 1 + (change.ratio - 1) * grown
    return factor


def _arrivals(rng: "np.random.Generator", edges: "Floats", rates: "Floats") -> "Floats":
    """Times of a Poisson process whose rate is `rates` between neighbouring `edges`: uniform in its cumulative."""
    import numpy as np

    cumulative = np.concatenate([[0.0], np.cumsum(rates * np.diff(edges))])
    count = rng.poisson(cumulative[-1])
    times: Floats = np.interp(rng.random(count) * cumulative[-1], cumulative, edges)
    return times
