"""Computes the rows, columns and colours of a picture from bins and codes; does not draw."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streammetrics.report.heatmap.data import Heatmap
from streammetrics.store import builds

MAX_ROWS = 60
MAX_COLUMNS = 1000
"""Most columns: fewer than the plot has pixels, so that no column is lost."""

NEGLIGIBLE = 1e-9
"""Rounding errors of sums below this are no deviation."""

COLOURS = ("#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7", "#fddbc7", "#f4a582", "#d6604d", "#b40420")
"""ColorBrewer's RdBu, safe for the colour-blind, without its two ends, which are nearly black."""
UNKNOWN_COLOUR = "#bdbdbd"

_PERCENTILE = 99

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The rows and columns of the picture.

    Args:
        codes: the code of each row, in order; `folded` other codes share one more row below.
        values: shape (rows, columns), the mean of the bins (and codes) of a cell; NaN for none.
        column_bins: how many neighbouring bins a column covers; the last may cover fewer.
        alerted: the alerted codes, folded ones too: the longest alerted first, then the farthest from equal.
    """

    codes: tuple[str, ...]
    folded: int
    values: Floats
    column_bins: int
    alerted: tuple[str, ...]


def make_grid(heatmap: Heatmap) -> Grid:
    """Order the codes, and fold those that do not fit.

    Of more than 60 codes the 59 that were alerted for longest, then those whose mean is farthest from equal, keep a
    row; the others share one, which shows their mean.
    """
    bins = heatmap.values.shape[1]
    column_bins = -(-bins // MAX_COLUMNS)
    # Row by row: intermediate results for all bins of a week would be large.
    means = np.array([_mean(row, np.arange(0, bins, column_bins)) for row in heatmap.values])
    lengths: Counter[str] = Counter()
    for window in heatmap.alerted:
        lengths[window.code] += window.end_second - window.start_second
    far = [np.nan_to_num(abs(deviations(_mean(row, np.array([0])), heatmap.detector)[0])) for row in means]
    places = {code: place for place, code in enumerate(heatmap.codes)}
    order = [places[code] for code in builds.ordered_codes(places)]
    ranked = sorted(order, key=lambda place: (-lengths[heatmap.codes[place]], -far[place]))
    kept = set(ranked if len(ranked) <= MAX_ROWS else ranked[: MAX_ROWS - 1])
    rows = [place for place in order if place in kept]
    others = [place for place in order if place not in kept]
    values = np.vstack([means[rows], _mean(means[others], np.array([0]))]) if others else means[rows]
    return Grid(
        codes=tuple(heatmap.codes[place] for place in rows),
        folded=len(others),
        values=values,
        column_bins=column_bins,
        alerted=tuple(heatmap.codes[place] for place in ranked if heatmap.codes[place] in lengths),
    )


def deviations(values: Floats, detector: str) -> Floats:
    """How far from equal: log2 of ratios (minus infinity for 0), differences as they are."""
    if detector != "mean_ratio":
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log2(values)


def units(grid: Grid, detector: str) -> Floats:
    """The unit of each row's colours, shape (rows, 1).

    For `sequential` it is the row's mean change from one column to the next, at least one error. Otherwise a row with a
    hundred times the errors would leave the others without colours, and its noise would be most visible.
    """
    if detector != "sequential":
        return np.ones((len(grid.values), 1))
    changes = np.abs(np.diff(grid.values, axis=1))
    counts = np.maximum(np.sum(~np.isnan(changes), axis=1, keepdims=True), 1)
    usual: Floats = np.nansum(changes, axis=1, keepdims=True) / counts
    return np.maximum(usual, 1 / grid.column_bins)


def colour_limit(found: Floats, heatmap: Heatmap) -> float:
    """The deviation of the deepest colour: the 99th percentile, so that one outlier does not decide.

    It is never below the threshold, nor below 1 (a factor of two), so that the noise of a calm hour has weak colours.
    For `sequential` it is always 4 usual changes.
    """
    if heatmap.detector == "sequential":
        return 4.0
    sizes = np.abs(found[np.isfinite(found)])
    sizes = sizes[sizes > NEGLIGIBLE]
    # "lower" takes a value that occurs; an interpolated one would depend on a single huge value.
    usual = float(np.percentile(sizes, _PERCENTILE, method="lower")) if sizes.size else 0.0
    threshold = abs(float(deviations(np.array(heatmap.threshold), heatmap.detector)))
    return max(1.0, usual, threshold if np.isfinite(threshold) else 0.0)


def _mean(values: Floats, starts: NDArray[np.int64]) -> Floats:
    """Mean of the known values from each start to the next, along the first axis; NaN if none is known."""
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    counts = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    means: Floats = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means
