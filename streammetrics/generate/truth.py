"""What is true of a scenario, and so of every stream drawn from it: the yardstick of detectors."""

from datetime import datetime

from streammetrics.config import Section
from streammetrics.generate.rates import candidate_factor, piece_edges
from streammetrics.generate.sample import middles
from streammetrics.generate.scenario import Change, Kind, Scenario

_ABOVE_ONE = 1 + 1e-9
"""A step of 2 upon an improvement of 0.5 is level, whatever the last bits say."""


class TrueBuilds(Section):
    """The two builds by their role."""

    baseline: str
    candidate: str


class TrueChange(Section):
    """A change with its times; `end_ts` is exclusive. A ramp grows for `ramp_seconds`. `code` None: all codes."""

    kind: Kind
    code: str | None
    start_ts: datetime
    end_ts: datetime
    ratio: float | None
    ramp_seconds: int | None
    rate: float | None
    bursts: int | None
    size: int | None
    build: str | None


class Increase(Section):
    """A code that is worse in the candidate: since when, how many times at the most (None: only it sends it)."""

    code: str
    since_ts: datetime
    ratio: float | None


class Truth(Section):
    """`codes` are rates, errors per second of both builds; `increased` is what a detector should find, and no more."""

    seed: int
    start_ts: datetime
    end_ts: datetime
    builds: TrueBuilds
    codes: dict[str, float]
    candidate_share: tuple[tuple[int, float], ...]
    changes: tuple[TrueChange, ...]
    increased: tuple[Increase, ...]


def truth(scenario: Scenario) -> Truth:
    """Times are naive UTC, as in the store and in the written records."""
    codes = (*scenario.codes, *scenario.new_codes)
    return Truth(
        seed=scenario.seed,
        start_ts=scenario.start,
        end_ts=scenario.ts(scenario.seconds),
        builds=TrueBuilds(baseline=scenario.baseline, candidate=scenario.candidate),
        codes=scenario.codes,
        candidate_share=scenario.candidate_share,
        changes=tuple(_change(scenario, change) for change in scenario.changes),
        increased=tuple(found for code in codes if (found := _increase(scenario, code))),
    )


def _change(scenario: Scenario, change: Change) -> TrueChange:
    length = (change.seconds or scenario.seconds - change.at_second) if change.kind == "ramp" else None
    return TrueChange(
        **change.model_dump(include={"kind", "code", "ratio", "rate", "bursts", "size", "build"}),
        start_ts=scenario.ts(change.at_second),
        end_ts=scenario.ts(scenario.end_second(change)),
        ramp_seconds=length,
    )


def _increase(scenario: Scenario, code: str) -> Increase | None:
    new = scenario.new_codes.get(code)
    if new is not None:
        return Increase(code=code, since_ts=scenario.ts(new.at_second), ratio=None)
    edges = piece_edges(scenario)
    is_higher = candidate_factor(scenario, code, middles(edges)) > _ABOVE_ONE
    if not is_higher.any():
        return None
    since = float(edges[is_higher.argmax()])
    peak = float(candidate_factor(scenario, code, edges).max())
    return Increase(code=code, since_ts=scenario.ts(since), ratio=round(peak, 9))
