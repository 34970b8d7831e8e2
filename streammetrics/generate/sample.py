"""Scenario in, records out: Poisson arrivals at the scenario's rates, plus the bursts that are not Poisson.

The generator is PCG64 with the scenario's seed, and draws in a fixed order: one numpy version makes the same records of
a scenario everywhere. (numpy does not promise the same draws across its own versions: NEP 19.)
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streammetrics.generate.rates import build_rates, candidate_share, piece_edges
from streammetrics.generate.scenario import Change, Scenario

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indexes = NDArray[np.int32]
    Records = tuple[Floats, Indexes, Indexes]

BURST_SECONDS = 3.0
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, eq=False)
class Stream:
    """Records in the order of their time, those of one second in random order.

    `ts` are datetime64[us], UTC; `build` and `code` are indexes into `builds` (baseline, candidate) and `codes`.
    """

    scenario: Scenario
    builds: tuple[str, str]
    codes: tuple[str, ...]
    ts: "NDArray[np.datetime64]"
    build: "Indexes"
    code: "Indexes"

    def __len__(self) -> int:
        return len(self.ts)


def generate(scenario: Scenario) -> Stream:
    """Draw the records of a scenario; the same scenario gives the same records."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(scenario.seed))
    codes = (*scenario.codes, *scenario.new_codes)
    edges = piece_edges(scenario)
    parts: list[Records] = []
    for index, code in enumerate(codes):
        for build, rates in enumerate(build_rates(scenario, code, middles(edges))):
            times = _arrivals(rng, edges, rates)
            parts.append((times, _constant(build, len(times)), _constant(index, len(times))))
    parts.extend(_bursts(rng, scenario, change, codes) for change in scenario.changes if change.kind == "burst")
    times, builds, indexes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(times)
    return Stream(
        scenario=scenario,
        builds=(scenario.baseline, scenario.candidate),
        codes=codes,
        ts=_stamps(scenario, times[order]),
        build=builds[order],
        code=indexes[order],
    )


def expected_records(scenario: Scenario) -> float:
    """The mean number of records over all seeds, bursts included."""
    import numpy as np

    edges = piece_edges(scenario)
    total = float(sum((change.bursts or 0) * (change.size or 0) for change in scenario.changes))
    for code in (*scenario.codes, *scenario.new_codes):
        baseline, candidate = build_rates(scenario, code, middles(edges))
        total += float(np.sum((baseline + candidate) * np.diff(edges)))
    return total


def middles(edges: "Floats") -> "Floats":
    """The middle of each piece, where a linear rate has its mean."""
    result: Floats = (edges[:-1] + edges[1:]) / 2
    return result


def _arrivals(rng: "np.random.Generator", edges: "Floats", rates: "Floats") -> "Floats":
    """Times of a Poisson process whose rate is `rates` between neighbouring `edges`: uniform in its cumulative."""
    import numpy as np

    cumulative = np.concatenate([[0.0], np.cumsum(rates * np.diff(edges))])
    count = rng.poisson(cumulative[-1])
    times: Floats = np.interp(rng.random(count) * cumulative[-1], cumulative, edges)
    return times


def _bursts(rng: "np.random.Generator", scenario: Scenario, change: Change, codes: tuple[str, ...]) -> "Records":
    import numpy as np

    count, size = change.bursts or 0, change.size or 0
    span = scenario.end_second(change) - change.at_second
    length = min(BURST_SECONDS, span)
    starts = change.at_second + rng.random(count) * (span - length)
    if change.build is None:
        builds = (rng.random(count) < candidate_share(scenario, starts)).astype(np.int32)
    else:
        builds = _constant(int(change.build == scenario.candidate), count)
    if change.code is None:
        weights = np.array(list(scenario.codes.values()))
        indexes = rng.choice(len(weights), size=count, p=weights / weights.sum()).astype(np.int32)
    else:
        indexes = _constant(codes.index(change.code), count)
    times = np.repeat(starts, size) + rng.random(count * size) * length
    return times, np.repeat(builds, size), np.repeat(indexes, size)


def _constant(value: int, count: int) -> "Indexes":
    import numpy as np

    return np.full(count, value, dtype=np.int32)


def _stamps(scenario: Scenario, times: "Floats") -> "NDArray[np.datetime64]":
    """Seconds of the scenario as UTC time stamps, cut to its digits; rounding never reaches the end itself."""
    import numpy as np

    last = scenario.seconds * _MICROSECONDS - 1
    offsets = np.minimum((times * _MICROSECONDS).astype(np.int64), last)
    if scenario.fraction_digits == 0:
        offsets -= offsets % _MICROSECONDS
    stamps: NDArray[np.datetime64] = np.datetime64(scenario.start, "us") + offsets.astype("timedelta64[us]")
    return stamps
