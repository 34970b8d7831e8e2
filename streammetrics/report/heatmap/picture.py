"""Draws a heatmap, with matplotlib's canvases and without pyplot."""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from streammetrics.report.heatmap import words
from streammetrics.report.heatmap.data import Heatmap
from streammetrics.report.heatmap.grid import (
    COLOURS,
    NEGLIGIBLE,
    UNKNOWN_COLOUR,
    Floats,
    Grid,
    colour_limit,
    deviations,
    make_grid,
    units,
)
from streammetrics.runtime.utc import DAY_SECONDS


def save(heatmap: Heatmap, path: Path) -> None:
    """Draw and write a picture in the format of the suffix.

    Raises:
        OSError: the file cannot be written.
    """
    is_svg = path.suffix.lower() == ".svg"
    with style():
        # An SVG contains text, which the viewer's fonts draw.
        figure = make_figure(heatmap, str.isprintable if is_svg else font_shows())
        figure.savefig(path, metadata={"Date": None} if is_svg else None)


@contextmanager
def style() -> Iterator[None]:
    """Settings for drawing and saving: the same on a terminal and under cron, without warnings about glyphs."""
    with mpl.rc_context(), warnings.catch_warnings():
        # For an SVG the viewer's fonts matter, not ours.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        mpl.rcdefaults()
        mpl.rcParams.update({"font.size": 9.0, "svg.fonttype": "none"})
        # $ in names of codes and builds must not be read as mathematics.
        mpl.rcParams["text.parse_math"] = False
        # The same data give the same file.
        mpl.rcParams["svg.hashsalt"] = "streammetrics"
        yield


def font_shows() -> words.CanShow:
    """Whether the font has a character, thin and bold; call it within `style`."""
    fonts = [get_font(findfont(FontProperties(weight=weight))).get_charmap() for weight in ("normal", "bold")]
    return lambda letter: letter.isprintable() and all(ord(letter) in letters for letters in fonts)


def make_figure(heatmap: Heatmap, can_show: words.CanShow = str.isprintable) -> Figure:
    """The complete figure, not yet written: 1,600 pixels wide, as high as the codes need; call it within `style`."""
    grid = make_grid(heatmap)
    found = deviations(grid.values, heatmap.detector) / units(grid, heatmap.detector)
    limit = colour_limit(found, heatmap)
    figure = Figure(figsize=(16, 1.8 + max(3.0, 0.2 * len(found))), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    image = _draw_cells(axes, found, limit, heatmap, grid)
    _draw_outlines(axes, heatmap, grid)
    _draw_axes(axes, heatmap, grid, can_show)
    _draw_colour_bar(figure, image, found, limit, heatmap)
    figure.suptitle(words.headline(grid, can_show), x=0.01, ha="left", fontsize=14, fontweight="bold")
    axes.set_title(words.subject(heatmap, can_show), loc="left", fontsize=10)
    swatches = [
        Patch(facecolor="white", edgecolor="black", label="alerted"),
        Patch(facecolor=UNKNOWN_COLOUR, label="no records, or not judged"),
    ]
    figure.legend(handles=swatches, loc="outside lower right", ncols=2, frameon=False)
    return figure


def colours() -> Colormap:
    """Deepest blue to deepest red, each step redder than the one before."""
    return LinearSegmentedColormap.from_list("fewer to more", COLOURS).with_extremes(bad=UNKNOWN_COLOUR)


def _draw_cells(axes: Axes, found: Floats, limit: float, heatmap: Heatmap, grid: Grid) -> AxesImage:
    rows, columns = found.shape
    start = heatmap.first_bin / DAY_SECONDS
    image = axes.imshow(
        # Clipped here: minus infinity (a ratio of 0) is the deepest blue, not unknown.
        np.ma.masked_invalid(np.clip(found, -limit, limit)),
        cmap=colours(),
        vmin=-limit,
        vmax=limit,
        extent=(start, start + columns * grid.column_bins * heatmap.bin_seconds / DAY_SECONDS, rows - 0.5, -0.5),
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_xlim(start, start + heatmap.values.shape[1] * heatmap.bin_seconds / DAY_SECONDS)
    axes.hlines(np.arange(rows - 1) + 0.5, *axes.get_xlim(), color="white", linewidth=1)
    return image


def _draw_outlines(axes: Axes, heatmap: Heatmap, grid: Grid) -> None:
    """Black outlines with a white casing, visible on blue, red and white; thin if there are many."""
    width = 1.5 if len(heatmap.alerted) <= 500 else 0.6
    rows = {code: row for row, code in enumerate(grid.codes)}
    stretches: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for window in heatmap.alerted:
        stretch = (window.start_second / DAY_SECONDS, (window.end_second - window.start_second) / DAY_SECONDS)
        stretches[rows.get(window.code, len(rows))].append(stretch)
    for row, found in stretches.items():
        axes.broken_barh(
            found,
            (row - 0.42, 0.84),
            facecolor="none",
            edgecolor="black",
            linewidth=width,
            path_effects=[withStroke(linewidth=2 * width, foreground="white")],
            # SVG viewers are slow with thousands of paths.
            rasterized=True,
            zorder=3,
        )


def _draw_axes(axes: Axes, heatmap: Heatmap, grid: Grid, can_show: words.CanShow) -> None:
    labels = [words.row(heatmap, code, can_show) for code in grid.codes]
    if grid.folded:
        labels.append(f"other {grid.folded:,} codes (mean)")
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    for code, label in zip(grid.codes, axes.get_yticklabels(), strict=False):
        label.set_fontweight("bold" if code in grid.alerted else "normal")
    axes.set_ylabel("error code")
    locator = AutoDateLocator(maxticks=13)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_xlabel("\n".join(["time (UTC)", *words.notes(heatmap, grid)]), loc="left")


def _draw_colour_bar(figure: Figure, image: AxesImage, found: Floats, limit: float, heatmap: Heatmap) -> None:
    """The colour bar; its pointed ends show that they include larger deviations."""
    beyond = limit * (1 + NEGLIGIBLE)
    is_below, is_above = bool(np.any(found < -beyond)), bool(np.any(found > beyond))
    figure.colorbar(
        image,
        pad=0.01,
        label=words.unit(heatmap),
        extend="both" if is_below and is_above else "min" if is_below else "max" if is_above else "neither",
        ticks=MaxNLocator(8, integer=heatmap.detector == "mean_ratio"),
        format=FuncFormatter(lambda deviation, _: words.level(deviation, heatmap.detector)),
    )
