"""Streams without a change whose records do not come in time: `detect` runs in between, as the job would."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from bench.detection import simulate
from bench.detection.streams import BIN_SECONDS, DAY_BINS, NEVER, Counts, Layer, Stream

_CODES = 200
"""More than in other families, for much of a pass over 40 is the same for any number."""
_BINS = DAY_BINS
_PASSES = tuple(hours * 3600 for hours in (4, 8, 12, 16, 20, 24))
"""A pass costs as much as a day, for it looks back 11 hours; so few are run, each at a bad moment."""
_RATE = 10.0
"""Records per bin of each build and code: 1/s."""


def behind(minutes: int, *, is_lost: bool = False) -> Callable[[Generator], Stream]:
    """At each pass but the last, one build's newest records have not come; they come before the next, or never.

    The builds take turns.
    """

    def make(chance: Generator) -> Stream:
        counts = _counts(chance), _counts(chance)
        arrivals = _in_time(), _in_time()
        for number, second in enumerate(_PASSES[:-1]):
            waiting = slice((second - minutes * 60) // BIN_SECONDS, second // BIN_SECONDS)
            arrivals[number % 2][waiting] = NEVER if is_lost else second + 60
        return Stream((Layer(*counts, *arrivals),), _PASSES)

    return make


def stragglers(chance: Generator) -> Stream:
    """A tenth of the baseline's records come up to 10 minutes late, all others in time."""
    baseline, candidate = _counts(chance), _counts(chance)
    late = chance.binomial(baseline, 0.1)
    in_time = _in_time()
    layers = [Layer(baseline - late, candidate, in_time, in_time)]
    for parts_left in range(10, 0, -1):
        part = chance.binomial(late, 1 / parts_left)
        late = late - part
        minutes = 11 - parts_left
        layers.append(Layer(part, np.zeros_like(part), in_time + minutes * 60, in_time))
    return Stream(tuple(layers), (*_PASSES, _PASSES[-1] + 600))


def _counts(chance: Generator) -> Counts:
    return simulate.poisson(chance, np.full((_CODES, _BINS), _RATE))


def _in_time() -> Counts:
    return (np.arange(_BINS, dtype=np.int64) + 1) * BIN_SECONDS
