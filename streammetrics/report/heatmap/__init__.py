"""A picture of one rule and comparison: codes down, time across, blue for fewer errors in the candidate, red for more.

Data in, file out. matplotlib is imported only when something is drawn.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.runtime import atomic_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class AlertedWindow:
    """A stretch in which a code was alerted, in epoch seconds; the end is exclusive. `ratio`: None where not known."""

    code: str
    start_second: int
    end_second: int
    ratio: float | None = None


@dataclass(frozen=True)
class Heatmap:
    """What is drawn: the bin values of one rule and comparison, and where they alerted.

    Args:
        window_bins: lengths of the rule's windows, in bins.
        threshold: the window mean that alerts, in the unit of the values; NaN where that is not what alerts.
        first_bin: start of the first column, epoch seconds.
        codes: names of the rows, in any order; at least one.
        values: shape (codes, bins); NaN where a bin has no records or is not judged.
        alerted: windows of these codes, of which at least a part lies in the picture.
    """

    rule: str
    detector: str
    baseline: str
    candidate: str
    bin_seconds: int
    window_bins: tuple[int, ...]
    threshold: float
    first_bin: int
    codes: tuple[str, ...]
    values: "NDArray[np.float64]"
    alerted: tuple[AlertedWindow, ...]


def draw(heatmap: Heatmap, path: Path) -> None:
    """Write the picture to `path`, whole or not at all; its folder must exist.

    Raises:
        UsageError: the suffix is neither .png nor .svg.
        InputOutputError: the file cannot be written.
    """
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"{path}: a heatmap is written as .png or .svg, and the file's suffix says which")
    # Before the import: it remarks on caches and fonts, and cron mails every line.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from streammetrics.report.heatmap import picture

    try:
        with atomic_files.replacing(path) as unfinished:
            picture.save(heatmap, unfinished)
    except OSError as error:
        raise InputOutputError(f"{path}: the heatmap cannot be written: {atomic_files.reason(error)}") from None
