"""The time-uniform interval of a rate ratio: it is valid at any time, however often alerts are looked for.

It is computed here and not in SQL, because Spark has no lgamma. No decision depends on it. Source: Lindon & Malek,
Anytime-Valid Inference for Multinomial Count Data (arXiv 2011.03567), with the uniform mixture over the candidate's
share of errors.
"""

import math
from collections.abc import Sequence

CONFIDENCE = 0.95

_HALVINGS = 45
_WIDEST = 40.0
"""Limit of the logarithm of a ratio: no number of errors supports a larger one."""

_LIMIT = -math.log(1 - CONFIDENCE)


def ratio_interval(
    baseline: float, candidate: float, share: float, tested_share: float, dispersion: float
) -> tuple[float, float | None]:
    """The bounds of the candidate's rate over the baseline's, per user.

    Args:
        baseline, candidate: errors of the two builds.
        share: the candidate's share of the exposure, between 0 and 1.
        tested_share: the highest share that is assumed, for the lower bound.
        dispersion: the variance of the counts divided by that of chance; this many errors count as one.

    Returns:
        The lower bound, 0 without errors of the candidate; the upper one, None without errors of the baseline.
    """
    b, k = baseline / dispersion, candidate / dispersion
    low = _bound(b, k, tested_share, -1) if k > 0 else 0.0
    high = _bound(b, k, share, 1) if b > 0 else None
    return low, high


def ratio_intervals(rows: Sequence[tuple[float, float, float, float, float]]) -> list[tuple[float, float | None]]:
    """`ratio_interval` of each row, rounded to 6 decimals like ratios in the store."""
    found = (ratio_interval(*row) for row in rows)
    return [(round(low, 6), None if high is None else round(high, 6)) for low, high in found]


def _bound(b: float, k: float, share: float, direction: int) -> float:
    """Where the mixture's likelihood is 20 times that of the ratio: below (-1) or above (1) the estimate."""
    mixture = math.lgamma(1 + k) + math.lgamma(1 + b) - math.lgamma(2 + k + b)
    odds = math.log(share) - math.log1p(-share)

    def is_outside(log_ratio: float) -> bool:
        x = log_ratio + odds
        log_share, log_rest = -_softplus(-x), -_softplus(x)
        return mixture - k * log_share - b * log_rest >= _LIMIT

    inside = math.log(k / b) - odds if k > 0 and b > 0 else math.copysign(_WIDEST, k - b)
    outside = direction * _WIDEST
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if is_outside(middle):
            outside = middle
        else:
            inside = middle
    return math.exp(outside)


def _softplus(x: float) -> float:
    """ln(1 + exp(x)) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))
