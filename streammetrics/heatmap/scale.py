"""From values to colours: which deviation is deepest red or blue, and how the colour bar is labelled."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streammetrics.heatmap import Heatmap

RATIO_DETECTORS = frozenset({"mean_ratio"})
MINUS = "\N{MINUS SIGN}"

_PERCENTILE = 99
_LEADING_FIGURES = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
_MAX_RATIO_LIMIT = 6.0
_NEGLIGIBLE = 1e-9
"""Sums of tenths are off by a few units of the last place; that is no deviation."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """A symmetric scale of deviations around "equal": differences as they are, ratios as log2.

    Args:
        limit: the deviation of the deepest colour; what lies beyond is drawn in the same.
        is_clipped: whether something lies beyond, (below, above).
    """

    is_ratio: bool
    limit: float
    is_clipped: tuple[bool, bool]

    def ticks(self) -> dict[float, str]:
        """Deviations that the colour bar names; its ends say when they stand for more than themselves."""
        if self.is_ratio:
            step = _ratio_step(self.limit)
            exponents = range(-round(self.limit), round(self.limit) + 1, step)
            labels = {float(exponent): _ratio(exponent) for exponent in exponents}
        else:
            places = (-self.limit, -self.limit / 2, 0.0, self.limit / 2, self.limit)
            labels = {place: f"{place:+g}".replace("-", MINUS) if place else "0 equal" for place in places}
        for end, is_clipped, sign in zip((-self.limit, self.limit), self.is_clipped, "\u2264\u2265", strict=True):
            if is_clipped:
                labels[end] = f"{sign} {labels[end]}"
        return labels

    @property
    def extend(self) -> str:
        """What matplotlib calls the arrows at the ends of a colour bar."""
        return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[
            self.is_clipped
        ]


def unit(heatmap: Heatmap) -> str:
    """What the colours measure, for the colour bar."""
    if heatmap.detector in RATIO_DETECTORS:
        return f"mean ratio candidate / baseline per second, in bins of {heatmap.bin_seconds} s"
    return f"errors more (+) or fewer ({MINUS}) per {heatmap.bin_seconds} s bin, candidate minus baseline"


def deviations(values: Floats, detector: str) -> Floats:
    """How far from equal: log2 of ratios (minus infinity for 0), differences as they are."""
    if detector not in RATIO_DETECTORS:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log2(values)


def make_scale(found: Floats, heatmap: Heatmap) -> Scale:
    """A scale that one outlier cannot stretch: its limit is the 99th percentile of the deviations, rounded up.

    It is never below the threshold: a calm hour looks calm, and its noise is not drawn as if it were much.
    """
    is_ratio = heatmap.detector in RATIO_DETECTORS
    sizes = np.abs(found[np.isfinite(found)])
    sizes = sizes[sizes > _NEGLIGIBLE]
    # "lower" takes a value that occurs; between two, a single huge one would still weigh in.
    usual = float(np.percentile(sizes, _PERCENTILE, method="lower")) if sizes.size else 0.0
    floor = abs(threshold_deviation(heatmap) or 0.0)
    limit = max(usual, floor)
    limit = _round_up_ratio(limit) if is_ratio else _round_up(limit or 1.0)
    beyond = limit + _NEGLIGIBLE
    return Scale(is_ratio, limit, (bool(np.any(found < -beyond)), bool(np.any(found > beyond))))


def threshold_deviation(heatmap: Heatmap) -> float | None:
    """Where the threshold lies on the scale; None where it lies nowhere, such as a ratio of 0 or infinity."""
    if not math.isfinite(heatmap.threshold):
        return None
    if heatmap.detector not in RATIO_DETECTORS:
        return heatmap.threshold
    return math.log2(heatmap.threshold) if heatmap.threshold > 0 else None


def _round_up(size: float) -> float:
    power = 10.0 ** math.floor(math.log10(size))
    return next(figure * power for figure in _LEADING_FIGURES if figure * power >= size * (1 - _NEGLIGIBLE))


def _ratio_step(limit: float) -> int:
    return math.ceil(limit / 4 - _NEGLIGIBLE)


def _round_up_ratio(size: float) -> float:
    """To a power of two that the colour bar can name, at most 64: what is more is simply red."""
    size = min(max(size, 1.0), _MAX_RATIO_LIMIT)
    step = _ratio_step(size)
    return float(step * math.ceil(size / step - _NEGLIGIBLE))


def _ratio(exponent: int) -> str:
    if exponent == 0:
        return "1 equal"
    return f"{2**exponent}" if exponent > 0 else f"1/{2**-exponent}"
