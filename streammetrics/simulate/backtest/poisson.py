"""Confidence intervals of counts of rare events."""

import math
from collections.abc import Callable

CONFIDENCE = 0.95

_HALVINGS = 60


def interval(events: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact two-sided interval of a Poisson mean, if `events` were observed.

    At the lower bound, as many events or more have half of the remaining probability; at the upper bound, as few or
    fewer. Found by bisection, on sums of the probabilities. Source: Garwood, Fiducial limits for the Poisson
    distribution, Biometrika 28 (1936); the quantiles of chi squared over 2 that tables give are the same numbers.
    """
    chance = (1 - confidence) / 2
    widest = events + 20 + 10 * math.sqrt(events + 1)
    low = _root(lambda mean: _tail(events, mean, 1) >= chance, 0, events) if events else 0.0
    high = _root(lambda mean: _tail(events, mean, -1) <= chance, events, widest)
    return low, high


def _root(is_above: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if is_above(middle):
            high = middle
        else:
            low = middle
    return (low + high) / 2


def _tail(events: int, mean: float, step: int) -> float:
    """The probability of `events` or more (step 1, mean <= events), or of as few or fewer (step -1, mean >= events)."""
    if mean <= 0:
        return 0.0 if events else 1.0
    term = math.exp(events * math.log(mean) - mean - math.lgamma(events + 1))
    total, count = term, events
    while term > total * 1e-17 and (step > 0 or count > 0):
        term *= mean / (count + 1) if step > 0 else count / mean
        count += step
        total += term
    return total
