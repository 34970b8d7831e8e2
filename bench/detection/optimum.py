"""The limit: mean delay of the CUSUM that knows the ratio, judged at every record; no detector can do better.

Lorden 1971 and Moustakides 1986: among all rules with a mean time to a false alarm of at least T, the CUSUM of the
log likelihood ratio has the smallest worst mean delay, which is that from its state zero.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECONDS_PER_FALSE_ALARM = 1000 * 86400
RATES = (0.1, 1.0, 10.0)
"""Errors a second and build, before the change."""
RATIOS = (1.25, 1.5, 2.0, 5.0)

_STEPS = 12
"""States of the chain for the rise by one record of the candidate: the table moves by less than 0.1 % with 48."""


@dataclass(frozen=True)
class _Walk:
    """The log likelihood ratio record by record, in states: up `rise`, or down `fall` (not a whole number)."""

    rise: int
    fall: float
    state_nats: float


def mean_delay(rate: float, ratio: float, seconds_per_false_alarm: float = SECONDS_PER_FALSE_ALARM) -> float:
    """Mean delay (s) for `rate` errors a second and build, where the candidate's becomes `ratio` times that.

    Each record is the candidate's with probability 1/2 before the change and ratio / (1 + ratio) after it. The
    threshold is the one at which the mean time to a false alarm is as required.
    """
    walk = _walk(ratio)
    records_per_false_alarm = seconds_per_false_alarm * 2 * rate
    low, high = _bracket(walk, records_per_false_alarm)
    runs = [math.log(_run_length(walk, 0.5, states)) for states in (low, high)]
    part = (math.log(records_per_false_alarm) - runs[0]) / (runs[1] - runs[0])
    delays = [_run_length(walk, ratio / (1 + ratio), states) for states in (low, high)]
    return (delays[0] + part * (delays[1] - delays[0])) / (rate * (1 + ratio))


def _walk(ratio: float) -> _Walk:
    up = math.log(2 * ratio / (1 + ratio))
    down = -math.log(2 / (1 + ratio))
    return _Walk(_STEPS, down / (up / _STEPS), up / _STEPS)


def _bracket(walk: _Walk, records: float) -> tuple[int, int]:
    """Two neighbouring thresholds (states) with the wanted run length between them; its logarithm is all but linear."""
    low = max(2, round((math.log(records) - 4) / walk.state_nats))
    tried = {}

    def log_run(states: int) -> float:
        if states not in tried:
            tried[states] = math.log(_run_length(walk, 0.5, states))
        return tried[states]

    for _ in range(20):
        step = round((math.log(records) - log_run(low)) / walk.state_nats)
        if step == 0:
            break
        low += step
    while log_run(low) > math.log(records):
        low -= 1
    while log_run(low + 1) <= math.log(records):
        low += 1
    return low, low + 1


def _run_length(walk: _Walk, share: float, states: int) -> float:
    """Mean number of records until the chain from state 0 reaches `states`; a fall is split to keep its mean."""
    fall = math.floor(walk.fall)
    parts = ((fall, 1 - (walk.fall - fall)), (fall + 1, walk.fall - fall))
    matrix: NDArray[np.float64] = np.eye(states)
    rows = np.arange(states)
    up = rows + walk.rise
    inside = up < states
    matrix[rows[inside], up[inside]] -= share
    for down, weight in parts:
        np.subtract.at(matrix, (rows, np.maximum(rows - down, 0)), (1 - share) * weight)
    return float(np.linalg.solve(matrix, np.ones(states))[0])
