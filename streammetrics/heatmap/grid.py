"""From bins and codes to the rows and columns that a picture has room for; nothing here knows how they are drawn."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streammetrics.heatmap import Heatmap
from streammetrics.heatmap.scale import deviations

MAX_ROWS = 60
MAX_COLUMNS = 1200
"""Fewer than the narrowest plot has pixels, so that no column is lost."""

Floats = NDArray[np.float64]
Stretch = tuple[float, float]

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True)
class Grid:
    """The rows and columns of the picture.

    Args:
        codes: the code of each row, in order; `folded` others share one more row below them.
        values: shape (rows, columns), the mean of the bins (and codes) that a cell stands for; NaN for none.
        column_bins: how many neighbouring bins a column stands for; the last may stand for fewer.
        stretches: per row the alerted (start, end) in seconds after the first bin; apart and ascending.
        alerted: the alerted codes, folded ones too: the longest alerted first, then the farthest from equal.
        seconds: the length of the whole.
    """

    codes: tuple[str, ...]
    folded: int
    values: Floats
    column_bins: int
    stretches: tuple[tuple[Stretch, ...], ...]
    alerted: tuple[str, ...]
    seconds: int


def make_grid(heatmap: Heatmap) -> Grid:
    """Order the codes, and fold what there is no room for.

    Of more than 60 codes the 59 that were alerted for longest, then those whose mean is farthest from equal, keep a
    row; the others share one, which shows their mean.
    """
    bins = heatmap.values.shape[1]
    column_bins = -(-bins // MAX_COLUMNS)
    starts = np.arange(0, bins, column_bins)
    # Row by row: the bins of a week are large, and so would be the intermediate results.
    means = np.array([_mean(row, starts) for row in heatmap.values])
    seconds = bins * heatmap.bin_seconds
    stretches = _stretches(heatmap, seconds)
    lengths = {code: sum(end - start for start, end in found) for code, found in stretches.items()}
    order = _code_order(heatmap.codes)
    ranked = _ranked(heatmap, order, means, lengths)
    kept = set(ranked if len(ranked) <= MAX_ROWS else ranked[: MAX_ROWS - 1])
    rows = [place for place in order if place in kept]
    others = [place for place in order if place not in kept]
    values = means[rows]
    outlines = [stretches.get(heatmap.codes[place], []) for place in rows]
    if others:
        values = np.vstack([values, _mean(means[others], np.array([0]))])
        outlines.append(merge((one for place in others for one in stretches.get(heatmap.codes[place], ())), 0))
    return Grid(
        codes=tuple(heatmap.codes[place] for place in rows),
        folded=len(others),
        values=values,
        column_bins=column_bins,
        stretches=tuple(tuple(row) for row in outlines),
        alerted=tuple(heatmap.codes[place] for place in ranked if heatmap.codes[place] in lengths),
        seconds=seconds,
    )


def merge(stretches: Iterable[Stretch], gap: float) -> list[Stretch]:
    """One stretch for all that overlap, touch, or are less than `gap` apart."""
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _mean(values: Floats, starts: NDArray[np.int64]) -> Floats:
    """Mean of the known values from each start to the next, along the first axis; NaN where none is known."""
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    counts = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    means: Floats = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means


def _stretches(heatmap: Heatmap, seconds: int) -> dict[str, list[Stretch]]:
    """Per code what of its alerted windows lies inside the picture."""
    found: defaultdict[str, list[Stretch]] = defaultdict(list)
    for window in heatmap.alerted:
        start = max(0, window.start_second - heatmap.first_bin)
        end = min(seconds, window.end_second - heatmap.first_bin)
        if start < end:
            found[window.code].append((start, end))
    return {code: merge(windows, 0) for code, windows in found.items()}


def _code_order(codes: Sequence[str]) -> list[int]:
    """Places of the codes as numbers where all are whole numbers, else as text."""
    if all(_WHOLE_NUMBER.fullmatch(code) for code in codes):
        return sorted(range(len(codes)), key=lambda place: (int(codes[place]), codes[place]))
    return sorted(range(len(codes)), key=lambda place: codes[place])


def _ranked(heatmap: Heatmap, order: list[int], means: Floats, lengths: Mapping[str, float]) -> list[int]:
    """Places of the codes, the longest alerted first, then the farthest from equal."""
    overall = np.array([_mean(row, np.array([0]))[0] for row in means])
    far = np.nan_to_num(np.abs(deviations(overall, heatmap.detector)))
    return sorted(order, key=lambda place: (-lengths.get(heatmap.codes[place], 0), -far[place]))
