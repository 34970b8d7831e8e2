"""The drawing, on matplotlib's canvases and without pyplot. Places are in pixels from the top left corner."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from streammetrics.heatmap import Heatmap, words
from streammetrics.heatmap.grid import Floats, Grid, make_grid, merge
from streammetrics.heatmap.scale import Scale, deviations, make_scale, threshold_deviation, unit
from streammetrics.heatmap.times import ticks

DPI = 100
WIDTH = 1600

_HEADER, _FOOTER, _NOTE = 122, 84, 19
_RIGHT, _MARGIN, _GAP = 48, 20, 8
_BAR_WIDTH, _BAR_RIGHT = 470, 70
_MIN_LEFT, _MAX_LABEL = 84, 200
_HEADLINE, _TEXT, _SMALL = 15.0, 11.0, 9.0
_MIN_OUTLINE = 4
"""A shorter alert is outlined this wide (pixels), or it could not be seen."""

# ColorBrewer's RdBu, safe for the colour-blind, without its two ends: so dark that they hardly are blue or red.
_COLOURS = ("#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7", "#fddbc7", "#f4a582", "#d6604d", "#b40420")
_UNKNOWN = "#bdbdbd"


@dataclass(frozen=True)
class Layout:
    """Where things are (pixels): the plot's left edge, its height, and the height of the whole."""

    left: int
    plot: int
    height: int


def save(heatmap: Heatmap, path: Path, kind: str) -> None:
    """Draw and write; `kind` is png or svg.

    Raises:
        OSError: the file cannot be written.
    """
    with style():
        make_figure(heatmap).savefig(path, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)


@contextmanager
def style() -> Iterator[None]:
    """The settings to draw and save under: the same at a desk and under cron, and without remarks about letters."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                # Names of codes and builds hold $ as they like: none of it is mathematics.
                "text.parse_math": False,
                "svg.fonttype": "none",
                # The same data make the same file.
                "svg.hashsalt": "streammetrics",
            }
        )
        yield


def make_figure(heatmap: Heatmap) -> Figure:
    """The whole picture, not yet written; to be called under `style`."""
    grid = make_grid(heatmap)
    found = deviations(grid.values, heatmap.detector)
    scale = make_scale(found, heatmap)
    labels = _row_labels(grid)
    notes = words.notes(heatmap, grid)
    layout = _layout(labels, len(notes))
    figure = Figure(figsize=(WIDTH / DPI, layout.height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = _axes(figure, layout, layout.left, _HEADER, WIDTH - layout.left - _RIGHT, layout.plot)
    _draw_cells(axes, found, scale, heatmap, grid)
    _draw_outlines(axes, grid, WIDTH - layout.left - _RIGHT)
    _draw_row_axis(axes, grid, labels)
    _draw_time_axis(axes, heatmap, grid)
    _draw_header(figure, layout, heatmap, grid)
    _draw_colour_bar(figure, layout, heatmap, scale)
    _draw_footer(figure, layout, notes)
    return figure


def _row_labels(grid: Grid) -> list[str]:
    width = _width_of(_SMALL, "bold")
    labels = [words.fit(words.visible(code), _MAX_LABEL, width) for code in grid.codes]
    return [*labels, f"other {grid.folded:,} codes (mean)"] if grid.folded else labels


def _layout(labels: list[str], notes: int) -> Layout:
    width = _width_of(_SMALL, "bold")
    widest = max(width(label) for label in labels)
    rows = len(labels)
    plot = rows * min(44, max(20, 360 // rows))
    left = max(_MIN_LEFT, round(widest) + _MARGIN + _GAP)
    return Layout(left, plot, _HEADER + plot + _FOOTER + notes * _NOTE)


def _axes(figure: Figure, layout: Layout, left: float, top: float, width: float, height: float) -> Axes:
    bottom = layout.height - top - height
    return figure.add_axes((left / WIDTH, bottom / layout.height, width / WIDTH, height / layout.height))


def _width_of(size: float, weight: Literal["normal", "bold"]) -> words.Width:
    """A measure of text in pixels."""
    figure = Figure(dpi=DPI)
    FigureCanvasAgg(figure)
    sample = figure.text(0, 0, "", fontsize=size, fontweight=weight)

    def width(text: str) -> float:
        sample.set_text(text)
        return sample.get_window_extent().width

    return width


def _draw_cells(axes: Axes, found: Floats, scale: Scale, heatmap: Heatmap, grid: Grid) -> None:
    rows, columns = found.shape
    if np.all(np.isnan(found)):
        plate = {"facecolor": "white", "edgecolor": "none"}
        axes.text(0.5, 0.5, "no bin was judged", transform=axes.transAxes, ha="center", va="center", bbox=plate)
    axes.imshow(
        # Clipped here, for minus infinity (a ratio of 0) is as blue as it gets, not unknown.
        np.ma.masked_invalid(np.clip(found, -scale.limit, scale.limit)),
        cmap=colours(),
        norm=Normalize(-scale.limit, scale.limit),
        extent=(0, columns * grid.column_bins * heatmap.bin_seconds, rows - 0.5, -0.5),
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_xlim(0, grid.seconds)
    axes.hlines(np.arange(rows - 1) + 0.5, *axes.get_xlim(), color="white", linewidth=1)


def colours() -> Colormap:
    """Deepest blue to deepest red, each step redder than the one before."""
    return LinearSegmentedColormap.from_list("fewer to more", _COLOURS).with_extremes(bad=_UNKNOWN)


def _draw_outlines(axes: Axes, grid: Grid, width: int) -> None:
    """Black with a white casing: seen on blue, on red and on white."""
    least = _MIN_OUTLINE * grid.seconds / width
    boxes = []
    for row, stretches in enumerate(grid.stretches):
        for start, end in merge((_widen(start, end, least) for start, end in stretches), least / 2):
            boxes.append([(start, row - 0.42), (end, row - 0.42), (end, row + 0.42), (start, row + 0.42)])
    line = 1.4 if len(boxes) <= 200 else 1.0 if len(boxes) <= 1000 else 0.6
    for colour, thickness in (("white", line + 1.4), ("black", line)):
        outlines = PolyCollection(boxes, facecolors="none", edgecolors=colour, linewidths=thickness, zorder=3)
        # Thousands of paths would make an SVG that viewers struggle with.
        outlines.set_rasterized(len(boxes) > 500)
        axes.add_collection(outlines, autolim=False)


def _widen(start: float, end: float, least: float) -> tuple[float, float]:
    missing = max(0.0, least - (end - start)) / 2
    return start - missing, end + missing


def _draw_row_axis(axes: Axes, grid: Grid, labels: list[str]) -> None:
    axes.set_yticks(range(len(labels)), labels, fontsize=_SMALL)
    axes.tick_params(axis="y", length=0, pad=_GAP * 72 / DPI)
    alerted = set(grid.alerted)
    for code, label in zip(grid.codes, axes.get_yticklabels(), strict=False):
        label.set(fontweight="bold" if code in alerted else "normal", color="black" if code in alerted else "#555555")
    axes.annotate(
        "code", (0, 1), (-_GAP, 5), "axes fraction", "offset pixels", ha="right", fontsize=_SMALL, style="italic"
    )


def _draw_time_axis(axes: Axes, heatmap: Heatmap, grid: Grid) -> None:
    labels = ticks(heatmap.first_bin, grid.seconds)
    axes.set_xticks([second - heatmap.first_bin for second in labels], list(labels.values()), fontsize=_SMALL)
    axes.tick_params(axis="x", length=5)


def _draw_header(figure: Figure, layout: Layout, heatmap: Heatmap, grid: Grid) -> None:
    room = WIDTH - _MARGIN - _BAR_WIDTH - _BAR_RIGHT - 60
    bold, plain = _width_of(_HEADLINE, "bold"), _width_of(_TEXT, "normal")
    lines = (
        (16, words.headline(grid, room, bold), _HEADLINE, "bold"),
        (50, words.comparison(heatmap, room, plain), _TEXT, "normal"),
        (74, words.rule(heatmap, room, plain), _TEXT, "normal"),
    )
    for top, text, size, weight in lines:
        figure.text(_MARGIN / WIDTH, 1 - top / layout.height, text, fontsize=size, fontweight=weight, va="top")


def _draw_colour_bar(figure: Figure, layout: Layout, heatmap: Heatmap, scale: Scale) -> None:
    axes = _axes(figure, layout, WIDTH - _BAR_WIDTH - _BAR_RIGHT, 34, _BAR_WIDTH, 16)
    shades = ScalarMappable(Normalize(-scale.limit, scale.limit), colours())
    extend = cast(Literal["neither", "both", "min", "max"], scale.extend)
    bar = figure.colorbar(shades, cax=axes, orientation="horizontal", extend=extend, extendfrac=0.04)
    labels = scale.ticks()
    bar.set_ticks(list(labels), labels=list(labels.values()), fontsize=_SMALL)
    bar.ax.minorticks_off()
    bar.set_label(unit(heatmap), fontsize=_SMALL)
    threshold = threshold_deviation(heatmap)
    if threshold is not None and abs(threshold) <= scale.limit:
        bar.ax.axvline(threshold, color="black", linewidth=1.6)
        text = f"window mean above {heatmap.threshold:g} alerts"
        # Towards the middle, or it would leave the picture.
        side = "right" if threshold > scale.limit / 2 else "left" if threshold < -scale.limit / 2 else "center"
        bar.ax.annotate(
            text, (threshold, 1), (0, 4), ("data", "axes fraction"), "offset pixels", ha=side, fontsize=_SMALL
        )


def _draw_footer(figure: Figure, layout: Layout, notes: list[str]) -> None:
    swatches = [
        Patch(facecolor="white", edgecolor="black", linewidth=1.4, label="alerted"),
        Patch(facecolor=_UNKNOWN, edgecolor=_UNKNOWN, label="no records, or not judged"),
    ]
    place = (1 - _RIGHT / WIDTH, (6 + len(notes) * _NOTE) / layout.height)
    figure.legend(
        handles=swatches,
        loc="lower right",
        bbox_to_anchor=place,
        ncols=2,
        frameon=False,
        fontsize=_SMALL,
        borderaxespad=0,
        borderpad=0,
    )
    for number, note in enumerate(reversed(notes)):
        figure.text(_MARGIN / WIDTH, (8 + number * _NOTE) / layout.height, note, fontsize=_SMALL, va="bottom")
