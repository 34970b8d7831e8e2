"""The rates of a scenario at given times: float seconds from its start; results have the shape of the times."""

from typing import TYPE_CHECKING

from streammetrics.generate.scenario import Change, Scenario

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_RAMP_STAIRS = 1000
"""A ramp is drawn as a staircase, of a second each where it is short: no test can tell it from a slope."""


def piece_edges(scenario: Scenario) -> "Floats":
    """Ascending seconds from 0 to the end: between two neighbours every rate is constant, save for ramps' slopes."""
    import numpy as np

    points = [np.array([0.0, scenario.seconds])]
    points.append(np.array([second for second, _ in scenario.candidate_share], dtype=np.float64))
    for change in scenario.changes:
        points.append(np.array([change.at_second, scenario.end_second(change)], dtype=np.float64))
        if change.kind == "ramp":
            length = _ramp_seconds(scenario, change)
            stairs = np.linspace(0, length, min(length, _RAMP_STAIRS) + 1)
            points.append(change.at_second + stairs)
    edges = np.unique(np.concatenate(points))
    return edges[edges <= scenario.seconds]


def candidate_share(scenario: Scenario, times: "Floats") -> "Floats":
    """The candidate's share of the exposure, 0 to 1."""
    import numpy as np

    since, shares = (np.array(column, dtype=np.float64) for column in zip(*scenario.candidate_share, strict=True))
    step: Floats = shares[np.searchsorted(since, times, side="right") - 1]
    return step


def build_rates(scenario: Scenario, code: str, times: "Floats") -> "tuple[Floats, Floats]":
    """What the baseline and the candidate send of a code, errors per second; without bursts."""
    share = candidate_share(scenario, times)
    both = _product(scenario, code, times, ("surge",))
    candidate = share * both * candidate_factor(scenario, code, times)
    new = scenario.new_codes.get(code)
    if new is None or new.rate is None:
        return scenario.codes[code] * (1 - share) * both, scenario.codes[code] * candidate
    return 0 * share, new.rate * _during(scenario, new, times) * candidate


def candidate_factor(scenario: Scenario, code: str, times: "Floats") -> "Floats":
    """How many times as high the candidate's rate of a code is as the baseline's, at equal exposure."""
    return _product(scenario, code, times, ("step", "ramp", "spike", "improvement"))


def _product(scenario: Scenario, code: str, times: "Floats", kinds: tuple[str, ...]) -> "Floats":
    import numpy as np

    product = np.ones_like(times)
    for change in scenario.changes:
        if change.kind in kinds and change.code in (None, code):
            product *= _factor(scenario, change, times)
    return product


def _factor(scenario: Scenario, change: Change, times: "Floats") -> "Floats":
    import numpy as np

    ratio = 1.0 if change.ratio is None else change.ratio
    if change.kind == "ramp":
        grown = np.clip((times - change.at_second) / _ramp_seconds(scenario, change), 0, 1)
    else:
        grown = _during(scenario, change, times)
    factor: Floats = 1 + (ratio - 1) * grown
    return factor


def _during(scenario: Scenario, change: Change, times: "Floats") -> "Floats":
    import numpy as np

    within = (times >= change.at_second) & (times < scenario.end_second(change))
    return within.astype(np.float64)


def _ramp_seconds(scenario: Scenario, change: Change) -> int:
    return change.seconds if change.seconds is not None else scenario.seconds - change.at_second
