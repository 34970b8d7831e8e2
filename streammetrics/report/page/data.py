"""What the report page shows, read from the store. Times are naive UTC, seconds epoch seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.report import heatmap, status
from streammetrics.report.heatmap import Heatmap
from streammetrics.report.page import incidents
from streammetrics.report.page.errors import Series, errors
from streammetrics.report.page.incidents import Details, Incident
from streammetrics.report.status.models import Contents
from streammetrics.report.status.words import feed_words, judged_words
from streammetrics.report.verdict import of_comparisons
from streammetrics.report.verdict.decide import Word
from streammetrics.runtime.terminal import one_line
from streammetrics.store.connection import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from streammetrics.report.heatmap.grid import Grid

MOST_HEATMAPS = 6
"""Most heatmaps: `sequential` first, then those with most alerts; each adds half a megabyte to the page."""


@dataclass(frozen=True)
class Compared:
    """A current comparison: the builds, its verdict and the reason, and how far it is judged."""

    baseline: str
    candidate: str
    verdict: Word
    reason: str
    judged: str


@dataclass(frozen=True)
class Feed:
    """A source and its newest record, in words."""

    words: str
    is_silent: bool


@dataclass(frozen=True)
class Panel:
    """A heatmap and its grid; `errors` of baseline and candidate have the shape of the grid's values."""

    heatmap: Heatmap
    grid: "Grid"
    errors: "tuple[NDArray[np.int64], NDArray[np.int64]]"


@dataclass(frozen=True)
class Page:
    """Everything that the page shows.

    Args:
        span: beginning and end of the heatmaps and of incidents that are over; None before the first record.
        to_do: what is wrong with the settings or the input, as in `status`.
        found: the number of incidents; `listed` are the first of them, `details` the first of these.
        left_out: how many heatmaps are not shown.
    """

    now: datetime
    store: Path
    last_ts: datetime | None
    span: tuple[int, int] | None
    compared: Sequence[Compared]
    feeds: Sequence[Feed]
    to_do: Sequence[str]
    found: int
    listed: Sequence[Incident]
    details: Sequence[Details]
    panels: Sequence[Panel]
    left_out: int


def collect(
    store: Store,
    config: Config,
    now: datetime,
    after: int | None = None,
    until: int | None = None,
    drawn: Sequence[Heatmap] | None = None,
) -> Page:
    """Read the page's data of (after, until], by default the last day; `drawn`: its heatmaps if known.

    Raises:
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    store.require()
    # The verdict already names what would have been found.
    held = status.collect(store, config, now, has_reaches=False)
    contents = held.contents
    first_ts, last_ts = (None, None) if contents is None else (contents.first_ts, contents.last_ts)
    with store.read() as connection:
        span = heatmap.stretch(connection, after, until)
        found, listed, details = incidents.collect(connection, first_ts, last_ts, span)
        if drawn is None:
            drawn = [] if span is None else heatmap.heatmaps(connection, config, *span)
        # The other rules alert on noise.
        ranked = sorted(drawn, key=lambda one: (one.detector != "sequential", -len(one.alerted)))
        panels = _panels(connection, ranked[:MOST_HEATMAPS])
        compared = _compared(connection, now, contents)
    return Page(
        now=now,
        store=store.path,
        last_ts=last_ts,
        span=span,
        compared=compared,
        feeds=[Feed(feed_words(feed, now), feed.is_silent) for feed in held.feeds],
        to_do=[*map(one_line, held.refused), *held.unmatched, *([] if contents is None else contents.advice)],
        found=found,
        listed=listed,
        details=details,
        panels=panels,
        left_out=len(drawn) - len(panels),
    )


def _compared(connection: Connection, now: datetime, contents: Contents | None) -> list[Compared]:
    pairs = [] if contents is None else contents.comparisons
    if contents is None or not pairs:
        return []
    return [
        Compared(pair.baseline, pair.candidate, one.verdict, one.reason, judged_words(pair, contents))
        for pair, one in zip(pairs, of_comparisons(connection, pairs, now), strict=True)
    ]


def _panels(connection: Connection, drawn: Sequence[Heatmap]) -> list[Panel]:
    """Grids and errors of heatmaps; the errors of codes that share the last row are added up."""
    import numpy as np

    from streammetrics.report.heatmap.grid import make_grid

    grids = [make_grid(one) for one in drawn]
    wanted = [
        series
        for one, grid in zip(drawn, grids, strict=True)
        for side in _sides(one)
        for series in _rows(one, grid, side)
    ]
    found = iter(errors(connection, wanted))
    return [
        Panel(one, grid, (np.array([next(found) for _ in grid.values]), np.array([next(found) for _ in grid.values])))
        for one, grid in zip(drawn, grids, strict=True)
    ]


def _sides(drawn: Heatmap) -> tuple[str, str]:
    return drawn.baseline, drawn.candidate


def _rows(drawn: Heatmap, grid: "Grid", side: str) -> list[Series]:
    """The errors that one side sent, one series per row of the grid."""
    step = grid.column_bins * drawn.bin_seconds
    others = tuple(sorted(set(drawn.codes) - set(grid.codes)))
    rows = [*((code,) for code in grid.codes), *([others] if others else [])]
    return [Series(side, codes, drawn.first_bin, step, grid.values.shape[1]) for codes in rows]
