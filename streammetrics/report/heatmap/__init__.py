"""A picture of one rule and comparison: codes down, time across, blue for fewer errors in the candidate, red for more.

In come data, out goes a file. matplotlib is imported only when something is drawn.
"""

from streammetrics.report.heatmap.data import (
    AlertedWindow,
    Heatmap,
    draw,
    draw_all,
    draw_one,
    heatmaps,
    last_day,
    stretch,
)

__all__ = ["AlertedWindow", "Heatmap", "draw", "draw_all", "draw_one", "heatmaps", "last_day", "stretch"]
